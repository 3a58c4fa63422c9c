/**
 * What clients' interfaces have in common: whose memory a request belongs to, and how it is
 * answered.
 */
@NullMarked
package dev.semantic.examples.server.clients;

import org.jspecify.annotations.NullMarked;
