package dev.semantic.mlx.models.hub;

/**
 * A file of a repository, as the hub lists it.
 *
 * @param path in the repository, with slashes
 * @param sizeBytes of its content
 * @param etag the name of its content: its SHA-256 where it is large (LFS), else its Git blob id
 */
public record RemoteFile(String path, long sizeBytes, String etag) {}
