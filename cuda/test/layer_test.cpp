// SPDX-License-Identifier: Apache-2.0
//
// Whole layers through the kernels, in the order of launches that gru_kernels.h states.
#include "kernel_test.h"
#include "layer_reference.h"

namespace {

unsigned tiles(long long size, int tile) {
    return static_cast<unsigned>((size + tile - 1) / tile);
}

/// C = A·op(B), rows packed unless said otherwise, through the small or the large tile.
struct Gemm : GruGemm {
    Gemm(const float* a_, long long lda_, const float* b_, long long ldb_, float* c_, long long ldc_, int m_, int n_,
         int k_)
        : GruGemm{} {
        a = a_;
        lda = lda_;
        b = b_;
        ldb = ldb_;
        c = c_;
        ldc = ldc_;
        m = m_;
        n = n_;
        k = k_per_split = k_;
    }

    Gemm& mask(const int* lengths_, int batch_, int first_step_) {
        lengths = lengths_;
        batch = batch_;
        first_step = first_step_;
        return *this;
    }

    void run(const std::string& op, int tile) const {
        const GruGemm& args = *this;
        launch("gru_gemm_" + op + (tile == 32 ? "_32x32_f32" : "_128x128_f32"), &args, sizeof args, tiles(m, tile),
               tiles(n, tile), 1, GRU_GEMM_THREADS, tile == 32 ? GRU_GEMM_SMALL_SHARED : GRU_GEMM_LARGE_SHARED);
    }
};

/// values (…,width) as the columns from width on of a tensor twice as wide, the others NaN: a second direction's part.
std::vector<float> beside_nan(const std::vector<float>& values, int width) {
    std::vector<float> result(2 * values.size(), NAN);
    for (size_t i = 0; i < values.size(); i++) {
        const size_t row = i / static_cast<size_t>(width);
        result[i + (row + 1) * static_cast<size_t>(width)] = values[i];
    }
    return result;
}

/// One layer on the device: the schedule of gru_kernels.h, without splits. Its y and dy are those of the second of two
/// directions.
class DeviceLayer {
public:
    DeviceLayer(const LayerShape& shape, const LayerTensors<float>& in, int tile)
        : s(shape), tile(tile), rows(shape.T * shape.B), state(static_cast<size_t>(shape.B) * shape.H), x(in.x),
          w_ih(in.w_ih), w_hh(in.w_hh), b_ih(in.b_ih), b_hh(in.b_hh), dy(beside_nan(in.dy, shape.H)),
          lengths(shape.lengths), gx(3 * n()), gh(3 * state), states(state + n()), gates(4 * n()), y(2 * n()),
          dh(in.dhT), drh(state), dgx(3 * n()), dgh(3 * n()), dx(in.x.size()), dw_ih(in.w_ih.size()),
          dw_hh(in.w_hh.size()), db_ih(3 * static_cast<size_t>(shape.H)), db_hh(3 * static_cast<size_t>(shape.H)) {
        states.set(in.h0);
    }

    void forward() {
        const int H = s.H;
        Gemm projection(x.at(), s.I, w_ih.at(), s.I, gx.at(), 3 * H, rows, 3 * H, s.I);
        projection.bias = b_ih.count() == 0 ? nullptr : b_ih.at();
        projection.mask(mask(), s.B, 0).run("nt", tile);
        for (int step = 0; step < s.T; step++) {
            const GruCellForward cell = {gx.at(),
                                         gh.at(),
                                         h_prev(step),
                                         states.at(state * (step + 1)),
                                         gates.at(4 * state * step),
                                         y.at(H),
                                         mask(),
                                         2 * H,
                                         s.T,
                                         s.B,
                                         H,
                                         step,
                                         s.reverse,
                                         0};
            if (!s.reset_before) {
                recurrent(h_prev(step), H, 0, 3);
                launch_by_row("gru_cell_forward_reset_after_f32", cell, s.B, H);
            } else {
                recurrent(h_prev(step), H, 0, 2);
                launch_by_row("gru_cell_forward_reset_before_gates_f32", cell, s.B, H);
                recurrent(cell.gates + GRU_KEPT * H, 4 * H, 2, 1);
                launch_by_row("gru_cell_forward_reset_before_candidate_f32", cell, s.B, H);
            }
        }
    }

    void backward() {
        const int H = s.H;
        for (int step = s.T - 1; step >= 0; step--) {
            float* dgh_of_step = (dgates_are_one ? dgx : dgh).at(3 * state * step);
            const GruCellBackward cell = {gates.at(4 * state * step),
                                          h_prev(step),
                                          has_dy ? dy.at(H) : nullptr,
                                          dh.at(),
                                          drh.at(),
                                          dgx.at(),
                                          dgh_of_step,
                                          mask(),
                                          2 * H,
                                          s.T,
                                          s.B,
                                          H,
                                          step,
                                          s.reverse,
                                          0};
            if (!s.reset_before) {
                launch_by_row("gru_cell_backward_reset_after_f32", cell, s.B, H);
                recurrent_backward(cell.dgh, 0, 3, dh.at(), 1, step);
            } else {
                launch_by_row("gru_cell_backward_reset_before_candidate_f32", cell, s.B, H);
                recurrent_backward(cell.dgh, 2, 1, drh.at(), 0, step);
                launch_by_row("gru_cell_backward_reset_before_reset_f32", cell, s.B, H);
                recurrent_backward(cell.dgh, 0, 2, dh.at(), 1, step);
            }
        }
        Gemm(dgx.at(), 3 * H, w_ih.at(), s.I, dx.at(), s.I, rows, s.I, 3 * H).mask(mask(), s.B, 0).run("nn", tile);
        Gemm(dgx.at(), 3 * H, x.at(), s.I, dw_ih.at(), s.I, 3 * H, s.I, rows).mask(mask(), s.B, 0).run("tn", tile);
        const Tensor<float>& dgh = dgates_are_one ? dgx : this->dgh;
        const int of_state = s.reset_before ? 2 * H : 3 * H; // rows of W_hh that met hPrev; the others met rh
        Gemm(dgh.at(), 3 * H, states.at(), H, dw_hh.at(), H, of_state, H, rows).mask(mask(), s.B, 0).run("tn", tile);
        if (s.reset_before) {
            Gemm(dgh.at(2 * H), 3 * H, gates.at(GRU_KEPT * H), 4 * H, dw_hh.at(2 * H * H), H, H, H, rows)
                .mask(mask(), s.B, 0)
                .run("tn", tile);
        }
        column_sums(dgx, db_ih);
        column_sums(dgh, db_hh);
    }

    /// y without the other direction's columns, which must still be poison.
    std::vector<float> y_of_direction() const {
        const std::vector<float> both = y.values();
        const size_t H = static_cast<size_t>(s.H);
        std::vector<float> result;
        for (size_t i = 0; i < both.size(); i++) {
            if (i / H % 2 == 1) {
                result.push_back(both[i]);
            } else if (!isnan(both[i])) {
                fail("y of the other direction was written to");
            }
        }
        return result;
    }

    bool has_dy = true;
    bool dgates_are_one = false; // dgh is dgx

    const LayerShape& s;
    const int tile;
    const int rows;
    const size_t state; // floats of one (B,H)
    Tensor<float> x, w_ih, w_hh, b_ih, b_hh, dy;
    Tensor<int> lengths;
    Tensor<float> gx, gh, states, gates, y, dh, drh, dgx, dgh, dx, dw_ih, dw_hh, db_ih, db_hh;

private:
    size_t n() const { return static_cast<size_t>(rows) * s.H; }
    const int* mask() const { return s.lengths.empty() ? nullptr : lengths.at(); }
    float* h_prev(int step) const { return states.at(state * step); }

    /// gh[blocks] = in·W_hh[blocks]ᵀ + b_hh[blocks].
    void recurrent(const float* in, long long stride, int block, int blocks) {
        const int H = s.H;
        Gemm product(in, stride, w_hh.at(static_cast<size_t>(block) * H * H), H, gh.at(block * H), 3 * H, s.B,
                     blocks * H, H);
        product.bias = b_hh.count() == 0 ? nullptr : b_hh.at(block * H);
        product.run("nt", tile);
    }

    /// out (+)= dgh[blocks]·W_hh[blocks].
    void recurrent_backward(const float* dgh_of_step, int block, int blocks, float* out, int accumulate, int step) {
        const int H = s.H;
        Gemm product(dgh_of_step + block * H, 3 * H, w_hh.at(static_cast<size_t>(block) * H * H), H, out, H, s.B, H,
                     blocks * H);
        product.accumulate = accumulate;
        product.mask(mask(), s.B, step).run("nn", tile);
    }

    void column_sums(const Tensor<float>& a, const Tensor<float>& out) {
        const GruColumnSums args = {a.at(), out.at(), mask(), 3 * s.H, rows, 3 * s.H, rows, s.B, 0, 0};
        launch("gru_column_sums_f32", args, tiles(3 * s.H, GRU_COLUMN_TILE), GRU_COLUMN_THREADS, GRU_COLUMN_SHARED);
    }
};

template <typename R> std::vector<R> as(const std::vector<float>& values) {
    return std::vector<R>(values.begin(), values.end());
}

LayerTensors<float> inputs(const LayerShape& s, int biases) {
    Random random(static_cast<uint64_t>(s.T * 1000 + s.B * 100 + s.H));
    const size_t H = static_cast<size_t>(s.H), rows = static_cast<size_t>(s.T) * s.B;
    const float scale = 1 / sqrtf(static_cast<float>(s.H));
    LayerTensors<float> in;
    in.x = random.normals(rows * s.I);
    in.h0 = random.normals(s.B * H);
    in.w_ih = random.normals(3 * H * s.I, scale);
    in.w_hh = random.normals(3 * H * H, scale);
    in.b_ih = biases > 0 ? random.normals(3 * H, scale) : std::vector<float>();
    in.b_hh = biases > 1 ? random.normals(3 * H, scale) : std::vector<float>();
    in.dy = random.normals(rows * H);
    in.dhT = random.normals(s.B * H);
    return in;
}

/// The device's reserve is in step order; the reference's gates are in time order, 0 in padding.
std::vector<float> gates_in_time_order(const LayerShape& s, const std::vector<float>& gates) {
    const size_t H = static_cast<size_t>(s.H);
    std::vector<float> result(static_cast<size_t>(s.T) * s.B * 3 * H);
    for (int b = 0; b < s.B; b++) {
        for (int step = 0; step < s.T; step++) {
            const int t = s.reverse && step < s.length(b) ? s.length(b) - 1 - step : step;
            const float* from = &gates[(static_cast<size_t>(step) * s.B + b) * 4 * H];
            std::copy(from, from + 3 * H, &result[(static_cast<size_t>(t) * s.B + b) * 3 * H]);
        }
    }
    return result;
}

std::string describe(const LayerShape& s, int biases, int tile) {
    return "T" + std::to_string(s.T) + " B" + std::to_string(s.B) + " I" + std::to_string(s.I) + " H" +
           std::to_string(s.H) + (s.reset_before ? " reset-before" : " reset-after") + (s.reverse ? " reverse" : "") +
           (s.lengths.empty() ? "" : " lengths") + " biases " + std::to_string(biases) + " tile " +
           std::to_string(tile) + ": ";
}

void check(const LayerShape& s, int biases, int tile) {
    LayerTensors<float> in = inputs(s, biases);
    LayerTensors<double> expected;
    expected.x = as<double>(in.x);
    expected.h0 = as<double>(in.h0);
    expected.w_ih = as<double>(in.w_ih);
    expected.w_hh = as<double>(in.w_hh);
    expected.b_ih = as<double>(in.b_ih);
    expected.b_hh = as<double>(in.b_hh);
    expected.dy = as<double>(in.dy);
    expected.dhT = as<double>(in.dhT);
    LayerTensors<float> in_float = in;
    LayerReference<double>(s, expected).run();
    LayerReference<float>(s, in_float).run();

    // The device gets NaN wherever nobody may look.
    for (int t = 0; t < s.T; t++) {
        for (int b = 0; b < s.B; b++) {
            if (t >= s.length(b)) {
                const size_t position = static_cast<size_t>(t) * s.B + b;
                std::fill_n(in.x.begin() + static_cast<long>(position * s.I), s.I, NAN);
                std::fill_n(in.dy.begin() + static_cast<long>(position * s.H), s.H, NAN);
            }
        }
    }
    std::vector<std::vector<float>> found;
    in_any_order([&] {
        DeviceLayer layer(s, in, tile);
        layer.forward();
        const std::vector<float> states = layer.states.values();
        const std::vector<float> hT(states.end() - static_cast<long>(layer.state), states.end());
        layer.backward();
        found = {layer.y_of_direction(),
                 hT,
                 gates_in_time_order(s, layer.gates.values()),
                 layer.dx.values(),
                 layer.dh.values(),
                 layer.dw_ih.values(),
                 layer.dw_hh.values(),
                 layer.db_ih.values(),
                 layer.db_hh.values()};
        std::vector<float> all;
        for (const std::vector<float>& tensor : found) {
            all.insert(all.end(), tensor.begin(), tensor.end());
        }
        return all;
    });
    const std::string of = describe(s, biases, tile);
    const int G = 3 * s.H;
    expect_close({of + "y", {{'t', s.T}, {'b', s.B}, {'j', s.H}}}, found[0], expected.y, in_float.y);
    expect_close({of + "hT", {{'b', s.B}, {'j', s.H}}}, found[1], expected.hT, in_float.hT);
    expect_close({of + "gates", {{'t', s.T}, {'b', s.B}, {'g', G}}}, found[2], expected.gates, in_float.gates);
    expect_close({of + "dx", {{'t', s.T}, {'b', s.B}, {'i', s.I}}}, found[3], expected.dx, in_float.dx);
    expect_close({of + "dh0", {{'b', s.B}, {'j', s.H}}}, found[4], expected.dh0, in_float.dh0);
    expect_close({of + "dw_ih", {{'g', G}, {'i', s.I}}}, found[5], expected.dw_ih, in_float.dw_ih);
    expect_close({of + "dw_hh", {{'g', G}, {'j', s.H}}}, found[6], expected.dw_hh, in_float.dw_hh);
    expect_close({of + "db_ih", {{'g', G}}}, found[7], expected.db_ih, in_float.db_ih);
    expect_close({of + "db_hh", {{'g', G}}}, found[8], expected.db_hh, in_float.db_hh);
}

void check_variants(int T, int B, int I, int H, const std::vector<int>& lengths) {
    for (bool reset_before : {false, true}) {
        for (bool reverse : {false, true}) {
            check({T, B, I, H, reset_before, reverse, lengths}, 2, 32);
        }
    }
}

} // namespace

TEST(a_layer_is_right_forward_and_backward) {
    check_variants(1, 1, 1, 1, {});
    check_variants(5, 3, 7, 19, {});
    check_variants(3, 33, 5, 34, {}); // one past a tile in rows and in units
}

TEST(a_layer_with_lengths_is_right_and_reads_no_padding) {
    check_variants(6, 5, 7, 19, {3, 0, 6, 1, 5});
}

TEST(a_layer_with_fewer_biases_is_right) {
    for (int biases : {0, 1}) {
        check({4, 2, 3, 9, false, false, {}}, biases, 32);
        check({4, 2, 3, 9, true, true, {4, 2}}, biases, 32);
    }
}

TEST(a_layer_through_the_large_tile_is_right) {
    check({3, 4, 6, 45, false, false, {}}, 2, 128);
    check({3, 4, 6, 45, true, true, {1, 3, 0, 2}}, 2, 128);
}

/// One thread block owns GRU_ROW_THREADS units of a row.
TEST(a_row_wider_than_a_block_is_right) {
    check({2, 2, 3, GRU_ROW_THREADS + 2, false, true, {}}, 2, 32);
}

TEST(without_dy_only_dhT_arrives) {
    for (bool reset_before : {false, true}) {
        const LayerShape s = {3, 2, 4, 11, reset_before, true, {3, 1}};
        LayerTensors<float> in = inputs(s, 2);
        std::fill(in.dy.begin(), in.dy.end(), 0.0f);
        DeviceLayer zero(s, in, 32), absent(s, in, 32);
        absent.has_dy = false;
        for (DeviceLayer* layer : {&zero, &absent}) {
            layer->forward();
            layer->backward();
        }
        expect_same_bits({"dx", {{'t', s.T}, {'b', s.B}, {'i', s.I}}}, absent.dx.values(), zero.dx.values());
        expect_same_bits({"dh0", {{'b', s.B}, {'j', s.H}}}, absent.dh.values(), zero.dh.values());
    }
}

TEST(dgh_may_be_dgx_of_a_forward_direction_in_reset_before) {
    const LayerShape s = {4, 3, 5, 13, true, false, {2, 4, 0}};
    const LayerTensors<float> in = inputs(s, 2);
    DeviceLayer apart(s, in, 32), one(s, in, 32);
    one.dgates_are_one = true;
    for (DeviceLayer* layer : {&apart, &one}) {
        layer->forward();
        layer->backward();
    }
    expect_same_bits({"dx", {{'t', s.T}, {'b', s.B}, {'i', s.I}}}, one.dx.values(), apart.dx.values());
    expect_same_bits({"dw_hh", {{'g', 3 * s.H}, {'j', s.H}}}, one.dw_hh.values(), apart.dw_hh.values());
    expect_same_bits({"db_hh", {{'g', 3 * s.H}}}, one.db_hh.values(), apart.db_hh.values());
}

/// In inference nothing but the state is kept: reset-after without gates, and h_next in place of h_prev.
TEST(a_cell_may_update_its_state_in_place) {
    const LayerShape s = {1, 3, 2, 21, false, false, {}};
    const LayerTensors<float> in = inputs(s, 2);
    DeviceLayer layer(s, in, 32);
    layer.forward();
    const Tensor<float> h(in.h0);
    GruCellForward cell = {layer.gx.at(), layer.gh.at(), h.at(), h.at(), nullptr, nullptr, nullptr, s.H, 1,
                           s.B,           s.H,           0,      0,      0};
    launch_by_row("gru_cell_forward_reset_after_f32", cell, s.B, s.H);
    expect_same_bits({"h", {{'b', s.B}, {'j', s.H}}}, h.values(), layer.y_of_direction());
}

/// With NaN in a row's initial state that row is NaN, and no gradient of the weights is unless the row has a step.
TEST(the_state_of_a_row_without_steps_reaches_nobody) {
    const LayerShape s = {3, 3, 4, 18, false, true, {2, 0, 3}};
    LayerTensors<float> in = inputs(s, 2);
    std::fill_n(in.h0.begin() + s.H, s.H, NAN);
    DeviceLayer layer(s, in, 32);
    layer.forward();
    layer.backward();
    for (const std::vector<float>& tensor : {layer.dw_hh.values(), layer.dw_ih.values(), layer.dx.values(),
                                             layer.db_hh.values(), layer.dh.values(), layer.y_of_direction()}) {
        for (float value : tensor) {
            if (isnan(value)) {
                fail("NaN in the state of row 1, which has no step, reached an output");
            }
        }
    }
}
