// SPDX-License-Identifier: Apache-2.0
//
// Tests of the emulator, through the driver's functions as the library exports them.
//
//   emulator_test                 all tests; the last line counts them
//   emulator_test KERNEL          launches one kernel of planted.cu and reads its result: what the sanitizers look at
#include "emulator_test.h"

#include "stream_test.h"
#include "tensor_core_test.h"

#include <functional>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <string>
#include <vector>

using namespace gru4j::emulator;

namespace {

float reversed(int i, int threads) {
    int first = i / threads * threads;
    return static_cast<float>(first + threads - 1 - ((i - first) ^ 1));
}

void expect_reversed(Device& device, int threads) {
    std::vector<float> y = device.y();
    for (int i = 0; i < device.vector.n; i++) {
        float found = y[static_cast<size_t>(i)];
        expect(found == reversed(i, threads), "y[" + std::to_string(i) + "] is " + std::to_string(found) + "; " +
                                                  std::to_string(reversed(i, threads)) + " expected");
    }
}

const std::vector<Test> kTests = {
    {"a kernel without barriers computes",
     [] {
         Device device(1000);
         OK(device.launch("test_double", 3, 64));
         std::vector<float> y = device.y();
         for (size_t i = 0; i < y.size(); i++) {
             expect(y[i] == 2.0f * static_cast<float>(i), "y[" + std::to_string(i) + "] is " + std::to_string(y[i]));
         }
     }},
    {"barriers and shuffles bring other threads' values",
     [] {
         Device device(4096);
         OK(device.launch("test_reverse", 4, 1024, 4096));
         expect_reversed(device, 1024);
     }},
    {"a shuffled order changes no bit of a right kernel",
     [] {
         for (int seed = 1; seed <= 20; seed++) {
             Device device(1024);
             gru4j_emulator_set("seed", seed);
             OK(device.launch("test_reverse", 8, 128, 512));
             expect_reversed(device, 128);
         }
     }},
    {"blocks of a cooperative launch meet at a flag",
     [] {
         for (int seed = 0; seed <= 5; seed++) {
             Device device(2 * 256 + 1);
             gru4j_emulator_set("seed", seed);
             OK(device.launch_cooperative("test_meet", 4, 64));
             std::vector<float> y = device.y();
             for (size_t i = 0; i < 256; i++) {
                 expect(y[256 + i] == static_cast<float>(255 - i), "y[" + std::to_string(256 + i) + "]");
             }
         }
     }},
    {"blocks that do not run at once wait for ever",
     [] {
         Device device(2 * 256 + 1);
         OK(cuMemsetD32Async(device.vector.y, 0, 513, device.stream));
         OK(device.launch("test_meet", 4, 64));
         device.expect_failure(LAUNCH_FAILED, "for a flag that is 1 to reach 4");
     }},
    {"a cooperative launch has no more blocks than run at once",
     [] {
         Device device(2 * 256 + 1);
         EXPECT_CODE(COOPERATIVE_LAUNCH_TOO_LARGE, device.launch_cooperative("test_meet", 132 * 8 + 1, 256));
     }},
    {"a missing barrier leaves NaN",
     [] {
         Device device(128);
         OK(device.launch("planted_missing_barrier", 1, 128, 512));
         expect(isnan(device.y()[0]), "y[0] is a number");
     }},
    {"a missing barrier that the usual order hides shows in a shuffled one",
     [] {
         Device device(128);
         OK(device.launch("planted_lucky_order", 1, 128, 512));
         std::vector<float> usual = device.y();
         expect(usual[127] == 63.0f, "the usual order shows it already");
         gru4j_emulator_set("seed", 1);
         OK(device.launch("planted_lucky_order", 1, 128, 512));
         expect(memcmp(usual.data(), device.y().data(), device.bytes()) != 0, "a shuffled order gives the same bits");
     }},
    {"a write past the end of shared memory fails the launch",
     [] {
         Device device(128);
         OK(device.launch("planted_shared_overrun", 1, 128, 512));
         device.expect_failure(ILLEGAL_ADDRESS,
                               "planted_shared_overrun: grid 1x1x1, block 128, 512 bytes shared: block "
                               "(0,0,0): thread 127 accesses 0 bytes past the end of its 512 bytes of "
                               "shared memory");
     }},
    {"a write into the last bytes of a rounded size of shared memory fails the launch",
     [] {
         Device device(127);
         OK(device.launch("planted_shared_overrun", 1, 127, 508));
         device.expect_failure(ILLEGAL_ADDRESS, "writes 0 bytes past the end of its 508 bytes of shared memory");
     }},
    {"a write one past the end of an allocation fails the launch",
     [] {
         Device device(100);
         OK(device.launch("planted_write_past_end", 1, 100));
         device.expect_failure(ILLEGAL_ADDRESS, "writes 0 bytes past the end of an allocation of 400 bytes");
     }},
    {"a write past the end of an allocation of whole pages fails the launch",
     [] {
         Device device(1024);
         OK(device.launch("planted_write_past_end", 4, 256));
         device.expect_failure(ILLEGAL_ADDRESS, "block (3,0,0): thread 255 accesses 0 bytes past the end of an "
                                                "allocation of 4096 bytes");
     }},
    {"a write in front of an allocation fails the launch",
     [] {
         Device device(100);
         OK(device.launch("planted_write_in_front", 1, 100));
         device.expect_failure(ILLEGAL_ADDRESS, "writes 4 bytes in front of an allocation of 400 bytes");
     }},
    {"a read far from an allocation fails the launch",
     [] {
         Device device(4096);
         OK(device.launch("planted_read_far_past_end", 1, 32));
         device.expect_failure(ILLEGAL_ADDRESS, "thread 0 accesses");
     }},
    {"a failed launch stays with the context until it is gone",
     [] {
         {
             Device device(100);
             OK(device.launch("planted_write_past_end", 1, 100));
             EXPECT_CODE(ILLEGAL_ADDRESS, cuCtxSynchronize());
             EXPECT_CODE(ILLEGAL_ADDRESS, cuMemFree_v2(device.vector.x));
             EXPECT_CODE(ILLEGAL_ADDRESS, cuCtxSynchronize());
         }
         Device device(100);
         OK(cuCtxSynchronize());
         OK(device.launch("test_double", 1, 100));
         expect(device.y()[99] == 198.0f, "the next context does not compute");
     }},
    {"a barrier that some threads never reach is reported with where the others wait",
     [] {
         Device device(128);
         OK(device.launch("planted_early_return", 1, 128));
         device.expect_failure(LAUNCH_FAILED, "block (0,0,0): threads wait without end: threads 0-39 at planted.cu:");
         expect_report("88 of 128 have ended");
     }},
    {"a barrier that threads reach at two places is reported",
     [] {
         Device device(64);
         OK(device.launch("planted_two_places", 1, 64));
         device.expect_failure(LAUNCH_FAILED, "thread 32 is at planted.cu:");
         expect_report("while threads 0-31 wait at planted.cu:");
     }},
    {"a shuffle in half a warp is reported",
     [] {
         Device device(48);
         OK(device.launch("planted_partial_warp", 1, 48));
         device.expect_failure(LAUNCH_FAILED, "in a warp of 16 threads; all 32 must take part");
     }},
    {"a multiply-add in half a warp is reported",
     [] {
         Device device(48);
         OK(device.launch("planted_partial_warp_mma", 1, 48));
         device.expect_failure(LAUNCH_FAILED, "a matrix multiply-add at planted.cu:");
         expect_report("in a warp of 16 threads; all 32 must take part");
     }},
    {"a multiply-add that one lane leaves out is reported with where the others wait",
     [] {
         Device device(64);
         OK(device.launch("planted_missing_lane", 1, 64));
         device.expect_failure(LAUNCH_FAILED, "threads wait without end: threads 32-42, 44-63 at planted.cu:");
         expect_report("33 of 64 have ended");
     }},
    {"fragments lie in the lanes as the instructions have them", fragments_lie_in_the_lanes_as_ptx_has_them},
    {"a multiply-add adds exactly and truncates", a_multiply_add_adds_exactly_and_truncates},
    {"operands are rounded to the nearest number of their format", operands_are_rounded_to_nearest},
    {"kernels round pairs, and split a number into two", kernels_round_pairs_and_split_numbers},
    {"launches beyond the limits are refused",
     [] {
         Device device(32);
         EXPECT_CODE(INVALID_VALUE, device.launch("test_double", 0, 32));
         EXPECT_CODE(INVALID_VALUE, device.launch("test_double", 1, 257));
         expect_report("test_double: grid 1x1x1, block 257, 0 bytes shared: its blocks have 1 to 256 threads");
         EXPECT_CODE(INVALID_VALUE, device.launch("test_reverse", 1, 32, 49153));
         void* function = nullptr;
         OK(cuModuleGetFunction(&function, device.module, "test_reverse"));
         EXPECT_CODE(INVALID_VALUE, cuFuncSetAttribute(function, 8, 232449));
         OK(cuFuncSetAttribute(function, 8, 50000));
         OK(device.launch("test_reverse", 1, 32, 50000));
         OK(cuStreamSynchronize(device.stream));
         EXPECT_CODE(NOT_FOUND, cuModuleGetFunction(&function, device.module, "test_triple"));
     }},
    {"an argument that leads to freed memory fails the launch",
     [] {
         Device device(100);
         OK(cuMemFree_v2(device.vector.y));
         OK(device.launch("test_double", 1, 100));
         device.expect_failure(ILLEGAL_ADDRESS,
                               "the argument at byte 8 is byte 0 of an allocation of 400 bytes that has been freed");
     }},
    {"copies beyond an allocation are refused",
     [] {
         Device device(100);
         float host[101];
         EXPECT_CODE(INVALID_VALUE, cuMemcpyDtoH_v2(host, device.vector.x, 404));
         expect_report("cuMemcpyDtoH of 404 bytes at byte 0 of an allocation of 400 bytes");
         EXPECT_CODE(INVALID_VALUE, cuMemcpyHtoD_v2(device.vector.x + 8, host, 396));
         EXPECT_CODE(INVALID_VALUE, cuMemsetD32Async(device.vector.x, 0, 101, device.stream));
         EXPECT_CODE(INVALID_VALUE, cuMemcpyDtoDAsync_v2(device.vector.x, device.vector.x + 4, 8, device.stream));
         EXPECT_CODE(INVALID_VALUE, cuMemFree_v2(device.vector.x + 4));
     }},
    {"fresh memory is NaN",
     [] {
         Device device(10);
         expect(isnan(device.y()[9]), "y[9] is a number");
     }},
    {"calls fail when they are told to",
     [] {
         Device device(4);
         uint64_t address = 0;
         gru4j_emulator_fail("cuMemAlloc_v2", 2, OUT_OF_MEMORY);
         OK(cuMemAlloc_v2(&address, 4));
         EXPECT_CODE(OUT_OF_MEMORY, cuMemAlloc_v2(&address, 4));
         OK(cuMemAlloc_v2(&address, 4));
     }},
    {"memory ends where the device's does, and comes back",
     [] {
         Device device(4);
         gru4j_emulator_set("memory_bytes", 1000);
         uint64_t address = 0;
         EXPECT_CODE(OUT_OF_MEMORY, cuMemAlloc_v2(&address, 969));
         OK(cuMemAlloc_v2(&address, 968));
         size_t free_bytes = 1, total_bytes = 0;
         OK(cuMemGetInfo_v2(&free_bytes, &total_bytes));
         expect(free_bytes == 0 && total_bytes == 1000, std::to_string(free_bytes) + " bytes free");
         OK(cuMemFree_v2(address));
         OK(cuMemGetInfo_v2(&free_bytes, &total_bytes));
         expect(free_bytes == 968, std::to_string(free_bytes) + " bytes free");
     }},
    {"calls need a current context that still lives",
     [] {
         uint64_t address = 0;
         void* context = nullptr;
         OK(cuInit(0));
         EXPECT_CODE(INVALID_CONTEXT, cuMemAlloc_v2(&address, 4));
         OK(cuDevicePrimaryCtxRetain(&context, 0));
         OK(cuCtxPushCurrent_v2(context));
         OK(cuMemAlloc_v2(&address, 4));
         OK(cuDevicePrimaryCtxRelease_v2(0));
         EXPECT_CODE(CONTEXT_IS_DESTROYED, cuMemAlloc_v2(&address, 4));
         OK(cuCtxPopCurrent_v2(&context));
     }},
    {"registers that are known limit a block, and the blocks that run at once",
     [] {
         // 65 registers are 72, since a thread takes them by eights: 3 blocks of 256 threads on a multiprocessor.
         Device device(2 * 256 + 1, "sm_80 test_meet 255\nsm_90 test_meet 65\nsm_90 test_reverse 65\n");
         EXPECT_CODE(COOPERATIVE_LAUNCH_TOO_LARGE, device.launch_cooperative("test_meet", 132 * 3 + 1, 256));
         expect_report("runs 396 such blocks at once");
         EXPECT_CODE(LAUNCH_OUT_OF_RESOURCES, device.launch("test_reverse", 1, 1024));
         expect_report("its block takes 73728 registers; at most 65536 expected");
         OK(device.launch_cooperative("test_meet", 4, 64));
     }},
    {"an image whose registers are none is refused",
     [] {
         Device device(1);
         void* module = nullptr;
         const std::string image = std::string("gru4j kernels\n") + kKernelsHash + "\nsm_90 test_meet many\n";
         EXPECT_CODE(INVALID_IMAGE, cuModuleLoadData(&module, image.c_str()));
     }},
    {"kernels of other sources are refused",
     [] {
         Device device(1);
         void* module = nullptr;
         EXPECT_CODE(INVALID_SOURCE, cuModuleLoadData(&module, "gru4j kernels\n0123456789\n"));
         EXPECT_CODE(INVALID_IMAGE, cuModuleLoadData(&module, "\177ELF"));
     }},
    {"a machine without a device says so",
     [] {
         gru4j_emulator_set("devices", 0);
         int code = cuInit(0);
         gru4j_emulator_reset();
         EXPECT_CODE(NO_DEVICE, code);
     }},
};

int run_all() {
    int passed = 0, failed = 0;
    for (const auto* tests : {&kTests, &kStreamTests}) {
        for (const Test& test : *tests) {
            try {
                test.run();
                passed++;
            } catch (const std::exception& problem) {
                failed++;
                printf("FAILED: %s: %s\n", test.name, problem.what());
            }
        }
    }
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

int run_one(const char* kernel) {
    Device device(256);
    OK(device.launch(kernel, 2, 128, 512));
    return cuStreamSynchronize(device.stream);
}

} // namespace

int main(int count, char** arguments) {
    try {
        return count == 1 ? run_all() : run_one(arguments[1]);
    } catch (const std::exception& problem) {
        printf("%s\n", problem.what());
        return 1;
    }
}
