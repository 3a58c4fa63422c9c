/** What every interface of the server has in common: JSON, errors, event streams. */
@NullMarked
package dev.semantic.examples.server.http;

import org.jspecify.annotations.NullMarked;
