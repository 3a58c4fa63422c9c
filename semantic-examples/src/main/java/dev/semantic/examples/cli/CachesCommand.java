package dev.semantic.examples.cli;

import picocli.CommandLine.Command;

/** What can be done with parked caches where no model is loaded. */
@Command(
    name = "caches",
    description = "Looks after the caches that agents have parked in a directory; loads no model.",
    subcommands = {
      CachesList.class,
      CachesShow.class,
      CachesVerify.class,
      CachesExport.class,
      CachesImport.class,
      CachesArchive.class,
      CachesPurge.class
    },
    footer = {
      "",
      "list, show, verify and export look on while another process uses the directory; the others"
          + " are refused then."
    })
final class CachesCommand {}
