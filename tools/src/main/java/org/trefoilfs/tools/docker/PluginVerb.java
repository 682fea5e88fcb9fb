package org.trefoilfs.tools.docker;

import java.util.Arrays;
import java.util.Optional;

/** What an engine asks, each by a POST to its path. */
enum PluginVerb {
  ACTIVATE("/Plugin.Activate"),
  CAPABILITIES("/VolumeDriver.Capabilities"),
  CREATE("/VolumeDriver.Create"),
  REMOVE("/VolumeDriver.Remove"),
  MOUNT("/VolumeDriver.Mount"),
  UNMOUNT("/VolumeDriver.Unmount"),
  PATH("/VolumeDriver.Path"),
  GET("/VolumeDriver.Get"),
  LIST("/VolumeDriver.List");

  private final String path;

  PluginVerb(String path) {
    this.path = path;
  }

  String path() {
    return path;
  }

  static Optional<PluginVerb> ofPath(String path) {
    return Arrays.stream(values()).filter(verb -> verb.path.equals(path)).findFirst();
  }
}
