// SPDX-License-Identifier: Apache-2.0
//
// One layer in one direction as plain loops in R (float or double), row by row and step by step like
// dev.gru4j.reference, from which it takes order and names but shares no text with the kernels.
#pragma once

#include <math.h>
#include <vector>

struct LayerShape {
    int T, B, I, H;
    bool reset_before;
    bool reverse;
    std::vector<int> lengths; // empty: all T

    int length(int b) const { return lengths.empty() ? T : lengths[static_cast<size_t>(b)]; }
};

template <typename R> struct LayerTensors {
    // In. The biases may be empty.
    std::vector<R> x, h0, w_ih, w_hh, b_ih, b_hh, dy, dhT;
    // Out: y and dx (0 in padding), gates (T,B,3H) in time order, hT, and the gradients.
    std::vector<R> y, hT, gates, dx, dh0, dw_ih, dw_hh, db_ih, db_hh;
};

template <typename R> class LayerReference {
public:
    LayerReference(const LayerShape& shape, LayerTensors<R>& tensors) : s(shape), v(tensors) {}

    void run() {
        const size_t H = static_cast<size_t>(s.H), rows = static_cast<size_t>(s.T) * s.B;
        v.y.assign(rows * H, 0);
        v.gates.assign(rows * 3 * H, 0);
        v.dx.assign(rows * s.I, 0);
        v.hT = v.h0;
        v.dh0 = v.dhT;
        v.dw_ih.assign(v.w_ih.size(), 0);
        v.dw_hh.assign(v.w_hh.size(), 0);
        v.db_ih.assign(3 * H, 0);
        v.db_hh.assign(3 * H, 0);
        for (int b = 0; b < s.B; b++) {
            kept.assign(static_cast<size_t>(s.length(b)), {});
            for (int step = 0; step < s.length(b); step++) {
                forward(b, step);
            }
            for (int step = s.length(b) - 1; step >= 0; step--) {
                backward(b, step);
            }
        }
    }

private:
    struct Kept {
        std::vector<R> h_prev, r, z, n, gh_n, rh;
    };

    const LayerShape& s;
    LayerTensors<R>& v;
    std::vector<Kept> kept; // of one row

    size_t position(int b, int step) const {
        const int t = s.reverse ? s.length(b) - 1 - step : step;
        return static_cast<size_t>(t) * s.B + b;
    }

    static R sigmoid(R a) { return a < 0 ? exp(a) / (1 + exp(a)) : 1 / (1 + exp(-a)); }

    /// W[row,:]·x + bias[row].
    static R project(const std::vector<R>& w, const std::vector<R>& bias, int row, const R* x, int K) {
        R sum = 0;
        for (int k = 0; k < K; k++) {
            sum += w[static_cast<size_t>(row) * K + k] * x[k];
        }
        return bias.empty() ? sum : sum + bias[static_cast<size_t>(row)];
    }

    void forward(int b, int step) {
        const int H = s.H;
        const size_t at = position(b, step);
        R* h = &v.hT[static_cast<size_t>(b) * H];
        const R* x = &v.x[at * s.I];
        Kept& k = kept[static_cast<size_t>(step)];
        k.h_prev.assign(h, h + H);
        for (auto* unit : {&k.r, &k.z, &k.n, &k.gh_n, &k.rh}) {
            unit->resize(H);
        }
        for (int j = 0; j < H; j++) {
            k.r[j] = sigmoid(project(v.w_ih, v.b_ih, j, x, s.I) + project(v.w_hh, v.b_hh, j, &k.h_prev[0], H));
            k.z[j] = sigmoid(project(v.w_ih, v.b_ih, H + j, x, s.I) + project(v.w_hh, v.b_hh, H + j, &k.h_prev[0], H));
            k.rh[j] = k.r[j] * k.h_prev[j];
        }
        for (int j = 0; j < H; j++) {
            const R gx_n = project(v.w_ih, v.b_ih, 2 * H + j, x, s.I);
            k.gh_n[j] = project(v.w_hh, v.b_hh, 2 * H + j, s.reset_before ? &k.rh[0] : &k.h_prev[0], H);
            k.n[j] = tanh(s.reset_before ? gx_n + k.gh_n[j] : gx_n + k.r[j] * k.gh_n[j]);
            h[j] = (1 - k.z[j]) * k.n[j] + k.z[j] * k.h_prev[j];
            v.y[at * H + j] = h[j];
            v.gates[at * 3 * H + j] = k.r[j];
            v.gates[at * 3 * H + H + j] = k.z[j];
            v.gates[at * 3 * H + 2 * H + j] = k.n[j];
        }
    }

    /// dOut·W[row,:] added to dx; dOut·x added to dW[row,:], dOut to dBias[row].
    static void project_backward(const std::vector<R>& w, std::vector<R>& dw, std::vector<R>& d_bias, int row, R d_out,
                                 const R* x, R* dx, int K) {
        for (int k = 0; k < K; k++) {
            dx[k] += d_out * w[static_cast<size_t>(row) * K + k];
            dw[static_cast<size_t>(row) * K + k] += d_out * x[k];
        }
        d_bias[static_cast<size_t>(row)] += d_out;
    }

    void backward(int b, int step) {
        const int H = s.H;
        const size_t at = position(b, step);
        const Kept& k = kept[static_cast<size_t>(step)];
        R* dh_next = &v.dh0[static_cast<size_t>(b) * H]; // of the step before, once this one is done
        std::vector<R> dgx(3 * H), dgh(3 * H), dh(H), dh_prev(H), drh(H);
        for (int j = 0; j < H; j++) {
            dh[j] = v.dy[at * H + j] + dh_next[j];
            dgx[2 * H + j] = dh[j] * (1 - k.z[j]) * (1 - k.n[j] * k.n[j]);
            dgx[H + j] = dh[j] * (k.h_prev[j] - k.n[j]) * k.z[j] * (1 - k.z[j]);
            dgh[2 * H + j] = s.reset_before ? dgx[2 * H + j] : dgx[2 * H + j] * k.r[j];
            dgh[H + j] = dgx[H + j];
            dh_prev[j] = dh[j] * k.z[j];
        }
        for (int j = 0; j < H; j++) {
            project_backward(v.w_hh, v.dw_hh, v.db_hh, 2 * H + j, dgh[2 * H + j],
                             s.reset_before ? &k.rh[0] : &k.h_prev[0], s.reset_before ? &drh[0] : &dh_prev[0], H);
        }
        for (int j = 0; j < H; j++) {
            const R dr = s.reset_before ? drh[j] * k.h_prev[j] : dgx[2 * H + j] * k.gh_n[j];
            dgx[j] = dgh[j] = dr * k.r[j] * (1 - k.r[j]);
            dh_prev[j] += s.reset_before ? drh[j] * k.r[j] : 0;
        }
        for (int i = 0; i < 2 * H; i++) {
            project_backward(v.w_hh, v.dw_hh, v.db_hh, i, dgh[i], &k.h_prev[0], &dh_prev[0], H);
        }
        for (int i = 0; i < 3 * H; i++) {
            project_backward(v.w_ih, v.dw_ih, v.db_ih, i, dgx[i], &v.x[at * s.I], &v.dx[at * s.I], s.I);
        }
        for (int j = 0; j < H; j++) {
            dh_next[j] = dh_prev[j];
        }
    }
};
