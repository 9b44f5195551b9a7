package dev.gru4j.cuda;

/**
 * Work that was recorded once and is launched as one.
 *
 * @param executable the driver's number
 * @param contents what was recorded, for people: {@code 12 gru_gemm_nt_32x32_f32, 11 …}
 */
record CudaGraph(int executable, String contents) {}
