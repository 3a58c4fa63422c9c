/**
 * What clients' interfaces have in common, whichever they speak: whose memory a request belongs to,
 * and how the model that serves answers it.
 */
@NullMarked
package dev.semantic.examples.server.clients;

import org.jspecify.annotations.NullMarked;
