package dev.semantic.mlx.tokenizer;

import dev.semantic.mlx.tokenizer.Guard.Place;
import dev.semantic.model.ModelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
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
    Copy copy = new Copy(false);
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
    if (parts != null) {
      parts.stream().limit(MOST_TRIES / 2).forEach(place -> breaks(only(place)));
    }
    if (noticed.isEmpty()) {
      return accepted;
    }
    String shown = shown();
    if (shown == null) {
      noticed.values().forEach(places -> places.stream().forEach(place -> breaks(only(place))));
      shown = shown();
    }
    return shown == null ? withoutAny() : shown;
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
    String text = rendered(false);
    if (text != null && plain.equals(standIns.undone(text))) {
      accepted = text;
      return true;
    }
    broken.clear();
    broken.or(before);
    return false;
  }

  /** Null where the template refuses the values, or was asked too often. */
  private @Nullable String rendered(boolean marked) {
    if (++tries > MOST_TRIES
        || System.nanoTime() - begun > LONGEST_NANOS
        || Thread.currentThread().isInterrupted()) {
      return null;
    }
    Copy copy = new Copy(marked);
    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    values.forEach((name, value) -> all.put(name, copy.of(value)));
    try {
      return render.apply(all);
    } catch (ModelException e) {
      return null;
    }
  }

  /** With marks around what the template looks for; null if it notices those, too. */
  private @Nullable String shown() {
    String marked = rendered(true);
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
        if (opened >= 0) {
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

  /** A copy with the broken places; goes through the values always in the same order. */
  private final class Copy {
    private final boolean marked;
    private int places;

    Copy(boolean marked) {
      this.marked = marked;
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
        } else if (place.isWhole()) {
          left.add(place);
        }
      }
      return marked ? marked(copy, left) : copy.toString();
    }

    /** Marks, from the last to the first, also around the white space that templates strip. */
    private String marked(StringBuilder text, List<Place> left) {
      left.sort((a, b) -> Integer.compare(b.from(), a.from()));
      int limit = text.length();
      for (Place place : left) {
        int from = place.from();
        int to = place.to();
        while (to < limit && AddedTokens.isBlank(text.charAt(to))) {
          to++;
        }
        while (from > 0 && AddedTokens.isBlank(text.charAt(from - 1))) {
          from--;
        }
        if (to <= limit) {
          text.insert(to, behind).insert(from, before);
          limit = from;
        }
      }
      return text.toString();
    }
  }
}
