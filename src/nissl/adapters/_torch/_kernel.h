/* The one-pass kernel, included by _sums.c once for every element type (NAME, IN, ACC, COUNT, LOAD).
 *
 * Fast loops add deviations from the unit's shift in ACC and hand over to float64 after at most CHUNK values. They take
 * no care of NaN, infinity or overflow: all three leave a sum of squares that isn't finite, and then that piece is done
 * again, value by value, in float64. */

/* Adds `width` values of one unit side by side; those before `from` were added already. */
INLINE void NAME(step)(const IN *x, int64_t from, int64_t width, ACC shift, ACC *sum, ACC *square, ACC *magnitude,
                       COUNT *positive, ACC *low, ACC *high)
{
    SIMD()
    for (int64_t j = 0; j < width; j++) {
        const ACC v = LOAD(x[j]), d = j >= from ? v - shift : 0;
        sum[j] += d;
        square[j] += d * d;
        magnitude[j] += j >= from ? (v < 0 ? -v : v) : 0;
        positive[j] += j >= from && v > 0;
        low[j] = v < low[j] ? v : low[j];
        high[j] = v > high[j] ? v : high[j];
    }
}

/* n values of unit c in each of some rows of class k. */
INLINE void NAME(unit)(const char *const *rows, int64_t many, int64_t skip, int64_t n, int wide, int64_t k, int64_t c,
                       const State *to)
{
    const ACC shift = (ACC)to->shift[c];
    ACC sum[LANES] = {0}, square[LANES] = {0}, magnitude[LANES] = {0}, low[LANES], high[LANES];
    COUNT positive[LANES] = {0};
    for (int64_t j = 0; j < LANES; j++) low[j] = (ACC)INFINITY, high[j] = -(ACC)INFINITY;
    for (int64_t r = 0; r < many; r++) {
        const IN *x = (const IN *)rows[r] + skip, *end = x + n;
        if (!wide) {
            NAME(step)(x, 0, n, shift, sum, square, magnitude, positive, low, high);
            continue;
        }
        for (; end - x >= LANES; x += LANES)
            NAME(step)(x, 0, LANES, shift, sum, square, magnitude, positive, low, high);
        if (x < end) NAME(step)(end - LANES, LANES - (end - x), LANES, shift, sum, square, magnitude, positive, low, high);
    }
    for (int64_t half = LANES / 2; half; half /= 2) {
        for (int64_t j = 0; j < half; j++) {
            sum[j] += sum[j + half];
            square[j] += square[j + half];
            magnitude[j] += magnitude[j + half];
            positive[j] += positive[j + half];
            low[j] = low[j + half] < low[j] ? low[j + half] : low[j];
            high[j] = high[j + half] > high[j] ? high[j + half] : high[j];
        }
    }
    if (!isfinite(square[0])) {
        for (int64_t r = 0; r < many; r++)
            for (int64_t i = 0; i < n; i++)
                add_one(to, k, c, (double)LOAD(((const IN *)rows[r])[skip + i]), OF_CLASS | OF_UNIT);
        return;
    }
    to->sum[k * to->units + c] += sum[0];
    to->square[k * to->units + c] += square[0];
    to->magnitude[c] += magnitude[0];
    to->positive[c] += (double)positive[0];
    if (low[0] < to->low[c]) to->low[c] = low[0];
    if (high[0] > to->high[c]) to->high[c] = high[0];
}

INLINE void NAME(unit_major)(const Job *job, const State *to, const int64_t *order)
{
    const char *rows[STREAMS];
    const int64_t most = job->positions < CHUNK ? CHUNK / job->positions : 1;
    for (int64_t at = 0, many; at < job->examples; at += many) {
        const int64_t k = class_of(job, order ? order[at] : at);
        for (many = 0; many < STREAMS && many < most && at + many < job->examples; many++) {
            const int64_t b = order ? order[at + many] : at + many;
            if (class_of(job, b) != k) break;
            rows[many] = job->x + b * job->example_step * (int64_t)sizeof(IN);
        }
        for (int64_t c = 0; c < job->units; c++) {
            for (int64_t from = 0; from < job->positions; from += CHUNK) {
                const int64_t n = job->positions - from < CHUNK ? job->positions - from : CHUNK;
                if (n >= LANES) NAME(unit)(rows, many, c * job->positions + from, n, 1, k, c, to);
                else NAME(unit)(rows, many, c * job->positions + from, n, 0, k, c, to);
            }
        }
    }
}

/* One class's rows, `width` units from unit c on; inlined, so that a constant width keeps the sums in registers. */
INLINE int NAME(run)(const IN *const *rows, int64_t n, int64_t c, int64_t width, const ACC *shift, ACC *sum, ACC *square,
                     ACC *magnitude, COUNT *positive, ACC *low, ACC *high)
{
    ACC s[TILE] = {0}, q[TILE] = {0}, spoilt = 0;
    for (int64_t r = 0; r < n; r++) {
        const IN *x = rows[r] + c;
        SIMD()
        for (int64_t j = 0; j < width; j++) {
            const ACC v = LOAD(x[j]), d = v - shift[j];
            s[j] += d;
            q[j] += d * d;
            magnitude[j] += v < 0 ? -v : v;
            positive[j] += v > 0;
            low[j] = v < low[j] ? v : low[j];
            high[j] = v > high[j] ? v : high[j];
        }
    }
    SIMD(reduction(+ : spoilt))
    for (int64_t j = 0; j < width; j++) spoilt += q[j] * 0; /* NaN as soon as one isn't finite */
    for (int64_t j = 0; j < width; j++) sum[j] = s[j], square[j] = q[j];
    return spoilt != spoilt;
}

/* A block of rows that lie class by class, for `width` units from unit c on. */
INLINE void NAME(tile)(const Block *block, int64_t units, int64_t c, int64_t width, const State *to)
{
    const IN *const *rows = (const IN *const *)block->rows;
    ACC shift[TILE], sum[TILE], square[TILE], magnitude[TILE] = {0}, low[TILE], high[TILE];
    COUNT positive[TILE] = {0};
    int spoilt = 0;
    for (int64_t j = 0; j < width; j++) shift[j] = (ACC)to->shift[c + j];
    for (int64_t j = 0; j < TILE; j++) low[j] = (ACC)INFINITY, high[j] = -(ACC)INFINITY;
    for (int64_t i = 0, from = 0; i < block->runs; from = block->end[i++]) {
        const int64_t n = block->end[i] - from, k = block->of[i];
        double *sums = to->sum + k * units + c, *squares = to->square + k * units + c;
        if (NAME(run)(rows + from, n, c, width, shift, sum, square, magnitude, positive, low, high)) {
            spoilt = 1;
            for (int64_t r = from; r < from + n; r++)
                for (int64_t j = 0; j < width; j++) add_one(to, k, c + j, (double)LOAD(rows[r][c + j]), OF_CLASS);
            continue;
        }
        SIMD()
        for (int64_t j = 0; j < width; j++) sums[j] += sum[j], squares[j] += square[j];
    }
    if (spoilt) {
        for (int64_t r = 0; r < block->n; r++)
            for (int64_t j = 0; j < width; j++) add_one(to, 0, c + j, (double)LOAD(rows[r][c + j]), OF_UNIT);
        return;
    }
    SIMD()
    for (int64_t j = 0; j < width; j++) {
        to->magnitude[c + j] += magnitude[j];
        to->positive[c + j] += (double)positive[j];
        to->low[c + j] = low[j] < to->low[c + j] ? low[j] : to->low[c + j];
        to->high[c + j] = high[j] > to->high[c + j] ? high[j] : to->high[c + j];
    }
}

INLINE void NAME(unit_minor)(const Job *job, const State *to, const int64_t *order)
{
    Block block;
    const int64_t all = job->examples * job->positions;
    for (int64_t from = 0; from < all; from += BLOCK) {
        fill_block(&block, job, order, from, all, sizeof(IN));
        int64_t c = 0;
        for (; c + TILE <= job->units; c += TILE) NAME(tile)(&block, job->units, c, TILE, to);
        if (c < job->units) NAME(tile)(&block, job->units, c, job->units - c, to);
    }
}

#undef NAME
#undef IN
#undef ACC
#undef COUNT
#undef LOAD
