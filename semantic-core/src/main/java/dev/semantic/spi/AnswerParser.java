package dev.semantic.spi;

/**
 * Reads one answer as it comes. It never throws for what a model writes: what is no call, or not to
 * its end, is text with a reason. However the answer is cut into pieces, the same comes out. Costs
 * must grow with the text alone: everybody waits. Not safe for several threads.
 */
public interface AnswerParser {
  /** More of the answer; what it is part of is told as soon as it is known. */
  void accept(String more, Sink out);

  /** That was all; tells what was held back. */
  void end(Sink out);

  /** What an answer is made of. Of calls one is open at a time. */
  interface Sink {
    /** More of what the model thinks. */
    void reasoning(String text);

    /** More of what it says. */
    void text(String text);

    /**
     * A call begins.
     *
     * @param id as the model wrote it; empty where it wrote none
     */
    void callBegun(String id, String name);

    /** More of its arguments' JSON. */
    void callArguments(String json);

    /** Its arguments are a JSON object, and complete. */
    void callComplete();

    /**
     * What looked like a call is none; it may have begun.
     *
     * @param text all of it, as the model wrote it
     * @param reason for people
     */
    void brokenCall(String text, String reason);
  }
}
