package org.trefoilfs.mount.testing;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicReference;
import org.trefoilfs.mount.namespace.Names;

/** Names as a mount's are, which goes on in a new session when the old one is over. */
public final class SwitchedNames {
  private SwitchedNames() {}

  /** Always the present ones. */
  public static Names of(AtomicReference<Names> present) {
    return (Names)
        Proxy.newProxyInstance(
            Names.class.getClassLoader(),
            new Class<?>[] {Names.class},
            (proxy, method, arguments) -> {
              try {
                return method.invoke(present.get(), arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
