package dev.gru4j.cuda;

import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.cuda.driver.CudaDriver;
import dev.gru4j.cuda.driver.JCudaLoader;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Predicate;

/** The emulator's driver, whose calls are written down; some can be left out, as if the caller had forgotten them. */
final class WatchedDriver {
    /** Calls that make something, and those that give it back. */
    private static final Map<String, List<String>> MAKERS = Map.of(
            "free", List.of("allocate"),
            "freeHost", List.of("allocateHost"),
            "destroyEvent", List.of("createEvent", "createTimedEvent"),
            "destroyStream", List.of("createStream"));

    /**
     * A call of {@link CudaDriver}.
     *
     * @param code what it returned
     */
    record Call(String name, List<Object> arguments, int code) {
        int number(int argument) {
            return (int) arguments.get(argument);
        }
    }

    final List<Call> calls = new ArrayList<>();
    private final CudaDriver driver = JCudaLoader.load();
    private Predicate<Call> forgotten = call -> false;

    /** From now on, such calls succeed and do nothing. */
    void forget(Predicate<Call> calls) {
        forgotten = calls;
    }

    /** A backend on this driver, own kernels for products, with a ring for uploads. */
    GruBackend backend(CudaUploads.Ring ring) {
        CudaProbe.Result found = CudaProbe.result();
        CudaSession session = new CudaSession(
                proxy(), Objects.requireNonNull(found.device()), Objects.requireNonNull(found.image()),
                ProductPrecision.FP32, ring);
        return new CudaBackend(session, KernelFamily.AUTO, true, "watched");
    }

    private CudaDriver proxy() {
        return (CudaDriver) Proxy.newProxyInstance(
                CudaDriver.class.getClassLoader(), new Class<?>[] {CudaDriver.class}, (proxy, method, arguments) -> {
                    List<Object> list = arguments == null ? List.of() : List.of(arguments);
                    Call asked = new Call(method.getName(), list, CudaDriver.SUCCESS);
                    Object result = forgotten.test(asked) ? CudaDriver.SUCCESS : method.invoke(driver, arguments);
                    if (method.getReturnType() == int.class) {
                        calls.add(new Call(method.getName(), list, (int) result));
                    }
                    return result;
                });
    }

    /** How often a call succeeded. */
    long count(String name) {
        return calls.stream()
                .filter(call -> call.name().equals(name) && call.code() == CudaDriver.SUCCESS)
                .count();
    }

    /** What was made and not given back, by the call that would; empty if nothing. */
    Map<String, Long> open() {
        Map<String, Long> open = new TreeMap<>();
        MAKERS.forEach((giver, makers) -> {
            long left = makers.stream().mapToLong(this::count).sum() - count(giver);
            if (left != 0) {
                open.put(giver, left);
            }
        });
        return open;
    }
}
