package org.trefoilfs.tools.observe;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;

/**
 * What the daemon's process takes. Times in seconds, memory in bytes.
 *
 * @param pauses collections of garbage, and the time that they took
 */
public record ProcessFigures(
    double upSeconds, double cpuSeconds, Memory memory, Collections pauses) {
  /**
   * @param direct outside the heap, for buffers
   */
  public record Memory(long heapUsed, long heapMost, long direct) {}

  public record Collections(long count, double seconds) {}

  public static ProcessFigures ofThisProcess() {
    MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    long direct =
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .mapToLong(BufferPoolMXBean::getMemoryUsed)
            .sum();
    long collections = 0;
    long collecting = 0;
    for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      collections += collector.getCollectionCount();
      collecting += collector.getCollectionTime();
    }
    long cpu = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    return new ProcessFigures(
        ManagementFactory.getRuntimeMXBean().getUptime() / 1e3,
        cpu / 1e9,
        new Memory(heap.getUsed(), heap.getMax(), direct),
        new Collections(collections, collecting / 1e3));
  }
}
