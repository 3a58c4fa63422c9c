package dev.semantic.examples;

import dev.semantic.generate.*;
import dev.semantic.kv.AgentId;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.store.DiskCacheStore;
import java.nio.file.Path;
import java.util.List;

/** An agent talks to a model, another one takes over, the first returns: the agent remembers. */
public final class PlainApi {
  public static void main(String[] args) throws Exception {
    var smol = new ModelId("smollm2-135m-instruct");
    var gemma = new ModelId("gemma-3-270m");
    var ada = new AgentId("Ada");
    try (var runtime = MlxModelRuntime.open();
        var caches = DiskCacheStore.open(Path.of(args[0]));
        var registry = ModelRegistry.builder(runtime).caches(caches).build()) {
      registry.load(smol);
      var hello = ChatMessage.user("I am Ada, and my boat is called Nele. Say hello!");
      var first = ask(registry, ada, new Prompt.Chat(List.of(hello)));
      System.out.println(first.text());
      registry.swapWithRollback(gemma).reclaim().ifPresent(System.out::println); // parks Ada
      System.out.println(ask(registry, ada, new Prompt.Text("A boat is")).text());

      registry.swapWithRollback(smol); // Ada's cache comes back from disk
      var question = ChatMessage.user("What is my boat called?");
      var talk = List.of(hello, ChatMessage.assistant(first.text()), question);
      var second = ask(registry, ada, new Prompt.Chat(talk));
      System.out.printf("%s (%d tokens cached)%n", second.text(), second.cachedTokens());
    }
  }

  static GenerationResult ask(ModelRegistry registry, AgentId who, Prompt prompt) {
    var request = GenerationRequest.of(prompt).agent(who).maxTokens(40).build();
    return registry.generate(request).await();
  }
}
