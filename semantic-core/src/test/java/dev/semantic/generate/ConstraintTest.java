package dev.semantic.generate;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused where a constraint is made, by its name and its place. */
class ConstraintTest {
  private static void assertRefused(String schema, String... parts) {
    IllegalArgumentException told =
        assertThrows(
            IllegalArgumentException.class,
            () -> new Constraint.JsonSchema(schema.replace('\'', '"')));
    String message = String.valueOf(told.getMessage()).toLowerCase(Locale.ROOT);
    for (String part : parts) {
      assertTrue(message.contains(part.toLowerCase(Locale.ROOT)), told.getMessage());
    }
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "not | {}",
        "if | {}",
        "then | {}",
        "else | {}",
        "contains | {}",
        "minContains | 1",
        "uniqueItems | true",
        "dependencies | {}",
        "dependentRequired | {}",
        "dependentSchemas | {}",
        "propertyNames | {}",
        "unevaluatedItems | false",
        "unevaluatedProperties | false",
        "$dynamicRef | '#x'",
        "$recursiveRef | '#'"
      })
  void aKeywordThatCannotBeEnforcedIsRefusedByName(String keyword, String value) {
    assertRefused(
        "{'properties':{'a/b':{'items':{'%s':%s}}}}".formatted(keyword, value),
        "#/properties/a~1b/items/" + keyword);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'title':'x','description':'y','x-mine':{'not':1},'examples':[1],'deprecated':true}",
        "{'properties':{'not':{'type':'string'},'if':{}},'required':['not']}",
        "{'const':{'not':1}}",
        "{'enum':[{'if':1}]}",
        "{'default':{'$ref':'nowhere'}}",
        "{'uniqueItems':false}",
        "{'type':['string','null']}",
        "{'multipleOf':0.01}",
        "{'multipleOf':100000}",
        "{'type':'object','properties':{'next':{'$ref':'#'}},'required':['value']}",
        "{'type':'array','items':{'$ref':'#'}}",
        "{'$ref':'#/$defs/tree','$defs':{'tree':{'anyOf':[{'type':'null'},{'type':'object',"
            + "'properties':{'l':{'$ref':'#/$defs/tree'}},'required':['l']}]},"
            + "'unused':{'type':'array','items':{'$ref':'#/$defs/unused'},'minItems':1}}}",
        "true",
        "{}"
      })
  void whatCanBeEnforcedIsLet(String schema) {
    assertDoesNotThrow(() -> new Constraint.JsonSchema(schema.replace('\'', '"')));
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "{'type':'text'} | #/type",
        "{'type':['string','text']} | #/type",
        "{'items':3} | #/items",
        "{'properties':[]} | #/properties",
        "{'anyOf':[]} | #/anyOf",
        "{'anyOf':{}} | #/anyOf",
        "{'minLength':-1} | #/minLength",
        "{'minLength':1.5} | #/minLength",
        "{'maximum':'3'} | #/maximum",
        "{'required':'a'} | #/required",
        "{'required':[1]} | #/required",
        "{'enum':[]} | #/enum",
        "{'format':'color'} | #/format",
        "{'pattern':3} | #/pattern",
        "{'multipleOf':0} | #/multipleOf",
        "{'multipleOf':99991} | #/multipleOf",
        "{'multipleOf':1e-9} | #/multipleOf",
        "{'$ref':'#/$defs/x'} | #/$defs/x",
        "{'$ref':'https://example.com/s'} | #/$ref",
        "{'$ref':'other.json#/a'} | #/$ref",
        "[] | a JSON schema",
        "3 | a JSON schema",
        "{'a':1,'a':2} | duplicate",
        "{'a': | not JSON",
        "{} {} | not JSON"
      })
  void whatIsNoSchemaIsRefusedWithItsPlace(String schema, String place) {
    assertRefused(schema, place);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'$ref':'#'}",
        "{'$ref':'#/$defs/a','$defs':{'a':{'$ref':'#/$defs/b'},'b':{'$ref':'#/$defs/a'}}}",
        "{'anyOf':[{'type':'null'},{'$ref':'#'}]}"
      })
  void referencesThatLeadInACircleAreRefused(String schema) {
    assertRefused(schema, "refers to itself");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'object','properties':{'next':{'$ref':'#'}},'required':['next']}",
        "{'type':'array','items':{'$ref':'#'},'minItems':1}",
        "{'anyOf':[{'type':'null'},{'$ref':'#/$defs/a'}],'$defs':{'a':{'type':'array',"
            + "'prefixItems':[{'$ref':'#/$defs/a'}],'minItems':1}}}"
      })
  void whatNeverEndsIsRefused(String schema) {
    assertRefused(schema, "never ends");
  }

  @Test
  void longChainsAreRefused() {
    String definitions =
        IntStream.range(0, 150)
            .mapToObj(i -> "'d%d':{'$ref':'#/$defs/d%d'}".formatted(i, i + 1))
            .collect(Collectors.joining(","));
    assertRefused("{'$ref':'#/$defs/d0','$defs':{" + definitions + ",'d150':{}}}", "in a chain");
    assertRefused("{'items':".repeat(250) + "{}" + "}".repeat(250), "not JSON");
  }

  @Test
  void whatIsTooLongIsRefused() {
    String longest = "a".repeat(Constraint.MAX_BYTES);
    assertDoesNotThrow(() -> new Constraint.Regex(longest));
    assertThrows(IllegalArgumentException.class, () -> new Constraint.Regex(longest + "a"));
    assertRefused("{'title':'" + longest + "'}", "bytes long");
    assertThrows(IllegalArgumentException.class, () -> new Constraint.Lark(" "));
  }

  @Test
  void tagsMustMakeSense() {
    Constraint.Tag tag = new Constraint.Tag("<call>", "<call>a", "{}", "</call>");
    assertThrows(
        IllegalArgumentException.class, () -> new Constraint.StructuralTags(List.of(), true));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Constraint.StructuralTags(List.of(tag, tag), true));
    assertThrows(
        IllegalArgumentException.class, () -> new Constraint.Tag("<tool>", "<call>", "{}", ""));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Constraint.Tag("<call>", "<call>", "{\"not\":{}}", ""));
  }
}
