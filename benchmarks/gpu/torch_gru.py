# SPDX-License-Identifier: Apache-2.0
"""Times of torch's nn.GRU (cuDNN) on the shapes that gru4j is timed on, for the same table.

    python3 benchmarks/gpu/torch_gru.py SECONDS FILE.shapes...

fp32 without and with TF32, bf16 and fp16; eager and captured in a CUDA graph. cudnn.benchmark stays off: it chooses among
convolutions, for an RNN torch takes the algorithm by a rule of its own. One layer, two biases, time-major, h0 absent, as
SequenceTimes in Java: inference; forward that keeps what backward needs; forward and backward with the gradients of x
and of all parameters. Random data; outputs are compared with a float64 run on the CPU before anything is timed. Times are
medians of single calls by CUDA events. After so many seconds no further measurement is begun; each one left out is
counted. Lines `measure<TAB>name=value...` are for RunReport.
"""
import statistics
import sys
import time

try:
    import torch
except ImportError as e:
    print(f"torch is not installed: {e}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

SECONDS_PER_ROW = 0.06
MIN_CALLS, MAX_CALLS = 3, 50
CHECKED_STEPS, CHECKED_ROWS = 3, 3
# How far an output, at most 1, may be off: the resolution of the mode's operands, times a few roundings.
MODES = {
    "fp32": (torch.float32, False, 1e-5),
    "tf32": (torch.float32, True, 5e-3),
    "bf16": (torch.bfloat16, False, 4e-2),
    "fp16": (torch.float16, False, 5e-3),
}


def measure(**pairs):
    print("measure\t" + "\t".join(f"{k.replace('_', '-')}={' '.join(str(v).split())}" for k, v in pairs.items()), flush=True)


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.4g}"


def read(files):
    shapes = []
    for name in files:
        with open(name, encoding="utf-8") as file:
            for line in file:
                words = line.split("#")[0].split()
                if words and tuple(map(int, words)) not in shapes:
                    shapes.append(tuple(map(int, words)))
    return shapes


def times(call):
    """Microseconds of single calls, sorted."""
    def once():
        start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        call()
        stop.record()
        stop.synchronize()
        return 1e3 * start.elapsed_time(stop)

    call()
    torch.cuda.synchronize()
    first = once()
    calls = int(min(max(1e6 * SECONDS_PER_ROW / first, MIN_CALLS), MAX_CALLS))
    return sorted(once() for _ in range(calls))


def captured(call):
    """The call as a graph. Warm-up on a side stream, as torch asks for."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(side)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


class Problem:
    def __init__(self, shape, mode):
        self.T, self.B, self.I, self.H = shape
        dtype, tf32, self.bound = MODES[mode]
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.manual_seed(42)
        self.gru = torch.nn.GRU(self.I, self.H, device="cuda", dtype=dtype)
        self.gru.flatten_parameters()
        self.x = torch.rand(self.T, self.B, self.I, device="cuda", dtype=dtype) * 2 - 1
        self.dy = (torch.rand(self.T, self.B, self.H, device="cuda", dtype=dtype) * 2 - 1) * 1e-3
        self.leaf = self.x.clone().requires_grad_()
        self.gradients_of = [self.leaf, *self.gru.parameters()]

    def verify(self):
        steps, rows = min(CHECKED_STEPS, self.T), min(CHECKED_ROWS, self.B)
        with torch.no_grad():
            exact = torch.nn.GRU(self.I, self.H, dtype=torch.float64)
            exact.load_state_dict({k: v.double().cpu() for k, v in self.gru.state_dict().items()})
            expected = exact(self.x[:steps, :rows].double().cpu())[0]
            found = self.gru(self.x)[0][:steps, :rows].double().cpu()
        error = (found - expected).abs().max().item()
        if not error <= self.bound:
            raise AssertionError(f"y is off by {error}; at most {self.bound} expected")
        return error

    def inference(self):
        with torch.no_grad():
            self.gru(self.x)

    def forward(self):
        return self.gru(self.leaf)[0]

    def training(self):
        torch.autograd.grad(self.forward(), self.gradients_of, self.dy)


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: torch_gru.py SECONDS FILE.shapes...")
    end = time.monotonic() + float(sys.argv[1])
    shapes = read(sys.argv[2:])
    if not torch.cuda.is_available():
        print(f"torch {torch.__version__} sees no GPU\n0 passed, 0 failed, 1 skipped")
        return
    measure(kind="fact", name="torch", value=torch.__version__)
    measure(kind="fact", name="cuDNN", value=torch.backends.cudnn.version())
    passed = failed = skipped = 0
    for shape in shapes:
        text = ",".join(map(str, shape))
        for mode in MODES:
            if time.monotonic() > end:
                skipped += 1
                measure(kind="left-out", by="torch", shape=text, mode=mode, why="the time was used up")
                continue
            try:
                problem = Problem(shape, mode)
                print(f"checked  torch {mode} {text}: y off by {problem.verify():.1e}")
                for form in ("eager", "graph"):
                    for name in ("inference", "forward", "training"):
                        what = dict(by="torch", shape=text, mode=mode, how=form, **{"pass": name})
                        if time.monotonic() > end + 5:
                            skipped += 1
                            measure(kind="left-out", **what, why="the time was used up")
                            continue
                        call = getattr(problem, name)
                        try:
                            us = times(call if form == "eager" else captured(call))
                        except RuntimeError as e:
                            skipped += 1
                            torch.cuda.synchronize()
                            measure(kind="left-out", **what, why=str(e).splitlines()[0])
                            continue
                        passed += 1
                        measure(kind="gru", backend="cuda", **what, us=number(statistics.median(us)),
                                us_min=number(us[0]), us_p90=number(us[int(0.9 * (len(us) - 1))]), calls=len(us))
            except (RuntimeError, AssertionError) as e:
                failed += 1
                measure(kind="failed", by="torch", shape=text, mode=mode, why=str(e).splitlines()[0])
            problem = None
            torch.cuda.empty_cache()
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


main()
