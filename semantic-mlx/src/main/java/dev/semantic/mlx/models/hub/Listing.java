package dev.semantic.mlx.models.hub;

import java.util.List;
import java.util.Optional;

/**
 * What a repository holds at one commit.
 *
 * @param commit forty hexadecimal digits
 * @param license its short name, where the repository says
 * @param files all of them, in the hub's order
 */
record Listing(HubRepo repo, String commit, Optional<String> license, List<RemoteFile> files) {
  Listing {
    files = List.copyOf(files);
  }
}
