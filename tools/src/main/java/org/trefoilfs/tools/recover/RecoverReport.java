package org.trefoilfs.tools.recover;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The answer to {@code recover}: what {@code trefoil recover --json} prints.
 *
 * @param notes what cannot be known, and what to do, in sentences
 * @param done absent when nothing was asked but to look
 */
public record RecoverReport(Loss loss, List<String> notes, @Nullable Done done) {
  /**
   * @param missing hosts that closed groups wait for
   * @param groups every closed group
   */
  public record Loss(
      List<MissingHost> missing,
      List<Pool> pools,
      List<Holder> holders,
      List<ClosedGroup> groups) {}

  /**
   * @param silentSeconds nothing was heard of it for so long
   * @param heard whether it was ever heard by the host that was asked; else that one runs for so
   *     long, and the other may be silent for longer
   */
  public record MissingHost(
      String id, String name, String address, long silentSeconds, boolean heard) {}

  /**
   * The groups that volumes of one replica count share.
   *
   * @param volumes their names
   * @param groups all of them, open or not
   */
  public record Pool(int replicas, List<String> volumes, int groups, Closed closed) {}

  /**
   * Closed groups by what can be done about them.
   *
   * @param openable from what is left, if its loss is accepted
   * @param askAgain a member runs and did not answer
   * @param lost nobody that is left was in sync
   * @param opening by themselves: every member is there
   */
  public record Closed(int total, int openable, int askAgain, int lost, int opening) {}

  /**
   * A host that answered for closed groups.
   *
   * @param latest groups of whose last write, as far as anybody answered, it holds
   * @param behind groups of which another holds more
   */
  public record Holder(String host, int groups, int latest, int behind) {}

  /**
   * @param number of the group in its pool
   * @param way {@code accept-loss}, {@code ask-again}, {@code none} or {@code opens-alone}
   */
  public record ClosedGroup(
      int replicas, int number, String way, List<String> missing, List<Held> held) {}

  /**
   * The last write that a host holds of a group: number {@code n} in {@code view}.
   *
   * @param last whether none that answered holds a later one
   */
  public record Held(String host, long view, long n, boolean last) {}

  /**
   * What was carried out.
   *
   * @param id of the choice in the history
   * @param refused groups whose members changed meanwhile; look again
   */
  public record Done(String id, int opened, int refused) {}
}
