/**
 * The Docker volume plugin: the engine's volume driver protocol, version 1
 * (https://docs.docker.com/engine/extend/plugins_volume). In the order of a request: {@code
 * VolumePlugin} takes it apart; {@code VolumeDriver} does it, on a {@code PluginHost}; {@code
 * References} remembers which containers use what, and {@code MountRoot} has the directories.
 */
@NullMarked
package org.trefoilfs.tools.docker;

import org.jspecify.annotations.NullMarked;
