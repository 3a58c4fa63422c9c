package dev.semantic.mlx.tokenizer;

import dev.semantic.mlx.tokenizer.Guard.Place;
import dev.semantic.model.ModelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One rendering whose special tokens from outside are found. If the template notices that they are
 * broken, it looks for some of them, and these stay as they are: what it cuts at and leaves out
 * does no harm, and what it shows all the same is found by marks around it. Where even those make a
 * difference nothing can be told, and no such token counts, not even the template's own.
 */
final class GuardedRendering {
  /** How often a template is rendered to find out what it looks for. */
  private static final int MOST_TRIES = 100;

  /** As one character may be written, with what stands around it. */
  private static final int LONGEST_ESCAPE = 12;

  /** For all tries together, as a template has it for one rendering. */
  private static final long LONGEST_NANOS = Duration.ofSeconds(10).toNanos();

  /** White space, and as {@code tojson} and {@code repr} write it. */
  private static final Pattern BLANKS =
      Pattern.compile(
          "(?:\\s|\\\\(?:[bfnrt]|x\\p{XDigit}{2}|u\\p{XDigit}{4}))*+",
          Pattern.UNICODE_CHARACTER_CLASS);

  private final Guard guard;
  private final Map<String, @Nullable Object> values;
  private final String plain;
  private final Function<Map<String, @Nullable Object>, String> render;
  private final StandIns standIns;
  private final char before;
  private final char behind;
  private final Map<String, BitSet> byToken = new LinkedHashMap<>();
  private final BitSet broken = new BitSet(); // places that the template does not notice
  private String accepted;
  private final long begun = System.nanoTime();
  private int tries;

  GuardedRendering(
      Guard guard,
      Map<String, @Nullable Object> values,
      String plain,
      Function<Map<String, @Nullable Object>, String> render) {
    this.guard = guard;
    this.values = values;
    this.plain = plain;
    this.accepted = plain;
    this.render = render;
    this.standIns = new StandIns(List.of(plain, new ArrayList<>(values.values())));
    this.before = standIns.unused();
    this.behind = standIns.unused();
    Copy copy = new Copy(Marks.NONE);
    values.values().forEach(copy::of);
  }

  /** As long as the plain text. */
  String broken() {
    BitSet all = new BitSet();
    byToken.values().forEach(all::or);
    if (all.isEmpty() || breaks(all)) {
      return accepted;
    }
    Map<String, BitSet> noticed = new LinkedHashMap<>();
    byToken.forEach(
        (token, places) -> {
          if (!breaks(places)) {
            noticed.put(token, places);
          }
        });
    BitSet parts = noticed.remove("");
    boolean left = parts != null && !breaksEach(parts);
    String found = noticed.isEmpty() ? accepted : whole(noticed.values());
    return left ? withoutParts(found) : found;
  }

  private boolean breaksEach(BitSet places) {
    return places.stream().limit(MOST_TRIES / 2).filter(place -> breaks(only(place))).count()
        == places.cardinality();
  }

  private String whole(Collection<BitSet> noticed) {
    String shown = shown(false);
    if (shown == null) {
      noticed.forEach(places -> places.stream().forEach(place -> breaks(only(place))));
      shown = shown(false);
    }
    return shown == null ? withoutAny() : shown;
  }

  /** Those parts that the template looks for are part of no token, either. */
  private String withoutParts(String found) {
    String shown = shown(true);
    if (shown == null) {
      return found;
    }
    StringBuilder both = new StringBuilder(found);
    for (int i = 0; i < both.length(); i++) {
      if (shown.charAt(i) != plain.charAt(i)) {
        both.setCharAt(i, shown.charAt(i));
      }
    }
    return both.toString();
  }

  /** No token that stands in one of the values, whoever wrote it here. */
  private String withoutAny() {
    String said = said(values.values());
    Map<String, Boolean> known = new HashMap<>();
    StringBuilder text = new StringBuilder(accepted);
    for (Place place : guard.places(accepted)) {
      if (place.isWhole() && known.computeIfAbsent(place.token(), said::contains)) {
        text.setCharAt(place.at(), standIns.of(text.charAt(place.at())));
      }
    }
    return text.toString();
  }

  private static String said(@Nullable Object value) {
    return switch (value) {
      case String text -> text + '\n';
      case Map<?, ?> map -> said(map.keySet()) + said(map.values());
      case Collection<?> many ->
          many.stream().map(GuardedRendering::said).collect(Collectors.joining());
      case null, default -> "";
    };
  }

  private static BitSet only(int place) {
    BitSet one = new BitSet();
    one.set(place);
    return one;
  }

  /** Breaks some more places, unless the template notices. */
  private boolean breaks(BitSet places) {
    BitSet before = (BitSet) broken.clone();
    broken.or(places);
    String text = rendered(Marks.NONE);
    if (text != null && plain.equals(standIns.undone(text))) {
      accepted = text;
      return true;
    }
    broken.clear();
    broken.or(before);
    return false;
  }

  /** Null where the template refuses the values, or was asked too often. */
  private @Nullable String rendered(Marks marks) {
    if (++tries > MOST_TRIES
        || System.nanoTime() - begun > LONGEST_NANOS
        || Thread.currentThread().isInterrupted()) {
      return null;
    }
    Copy copy = new Copy(marks);
    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    values.forEach((name, value) -> all.put(name, copy.of(value)));
    try {
      return render.apply(all);
    } catch (ModelException e) {
      return null;
    }
  }

  /** With marks around what the template looks for; null if it notices those, too. */
  private @Nullable String shown(boolean parts) {
    String marked = rendered(parts ? Marks.PARTS : Marks.WHOLE);
    if (marked == null) {
      return null;
    }
    StringBuilder text = new StringBuilder();
    int opened = -1;
    for (int i = 0; i < marked.length(); i++) {
      char c = marked.charAt(i);
      if (c == before) {
        opened = text.length();
      } else if (c == behind) {
        if (opened >= 0 && parts) {
          breakAll(text, opened);
        } else if (opened >= 0) {
          breakIn(text, opened);
        }
        opened = -1;
      } else {
        text.append(c);
      }
    }
    String found = text.toString();
    return plain.equals(standIns.undone(found)) ? found : null;
  }

  /** Where one token is all that stands behind a place. */
  private void breakIn(StringBuilder text, int from) {
    String between = text.substring(from);
    for (Place place : guard.places(between)) {
      if (place.isWhole()
          && BLANKS.matcher(between.substring(0, place.from())).matches()
          && BLANKS.matcher(between.substring(place.to())).matches()) {
        int at = from + place.at();
        text.setCharAt(at, standIns.of(text.charAt(at)));
      }
    }
  }

  /** What one character has become; never a whole token, for that is the template's. */
  private void breakAll(StringBuilder text, int from) {
    boolean whole = guard.places(text.substring(from)).stream().anyMatch(Place::isWhole);
    for (int i = from; i < text.length() && !whole && text.length() - from <= LONGEST_ESCAPE; i++) {
      text.setCharAt(i, standIns.of(text.charAt(i)));
    }
  }

  /** Around what in the values marks are put. */
  private enum Marks {
    NONE,
    WHOLE,
    PARTS
  }

  /** A copy with the broken places; goes through the values always in the same order. */
  private final class Copy {
    private final Marks marks;
    private int places;

    Copy(Marks marks) {
      this.marks = marks;
    }

    @Nullable Object of(@Nullable Object value) {
      return switch (value) {
        case String text -> text(text);
        case Map<?, ?> map -> {
          Map<@Nullable Object, @Nullable Object> all = new LinkedHashMap<>();
          map.forEach((name, each) -> all.put(of(name), of(each)));
          yield all;
        }
        case List<?> list -> {
          List<@Nullable Object> all = new ArrayList<>();
          list.forEach(each -> all.add(of(each)));
          yield all;
        }
        case null, default -> value;
      };
    }

    private String text(String text) {
      List<Place> all = guard.places(text);
      if (all.isEmpty()) {
        return text;
      }
      StringBuilder copy = new StringBuilder(text);
      List<Place> left = new ArrayList<>();
      for (Place place : all) {
        int number = places++;
        byToken.computeIfAbsent(place.token(), _ -> new BitSet()).set(number);
        if (broken.get(number)) {
          copy.setCharAt(place.at(), standIns.of(text.charAt(place.at())));
        } else if (place.isWhole() ? marks == Marks.WHOLE : marks == Marks.PARTS) {
          left.add(place);
        }
      }
      return marked(copy, left);
    }

    /** Marks, also around the white space that templates strip; of two that meet the first. */
    private String marked(StringBuilder text, List<Place> left) {
      if (left.isEmpty()) {
        return text.toString();
      }
      left.sort(Comparator.comparingInt(Place::from));
      StringBuilder all = new StringBuilder(text.length() + 2 * left.size());
      int done = 0;
      for (Place place : left) {
        int from = place.from();
        int to = place.to();
        while (place.isWhole() && to < text.length() && AddedTokens.isBlank(text.charAt(to))) {
          to++;
        }
        while (place.isWhole() && from > done && AddedTokens.isBlank(text.charAt(from - 1))) {
          from--;
        }
        if (from >= done) {
          all.append(text, done, from).append(before).append(text, from, to).append(behind);
          done = to;
        }
      }
      return all.append(text, done, text.length()).toString();
    }
  }
}
