/* Sums of one layer's values for every unit and class, read once, where they lie. See _kernel.h for the arithmetic.
 *
 * A value is examples x positions x units. Either the units come last (dense, sequences, channels_last) or the positions
 * do (convolutions). All addresses come from native.py, which checks shapes and types; labels are checked here. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-loop-unroll-and-jam") /* joins two rows, and then no longer sees the vectors in them */
#endif

#define CHUNK 2048        /* values added in single precision before float64 takes over */
#define BLOCK 256         /* rows of one block */
#define LANES 16          /* values of one unit that are added side by side */
#define STREAMS 8        /* examples that are read side by side */
#define TILE 32           /* units whose sums stay in registers */
#define QUICK (1 << 16)   /* so few values are done before another thread could make use of the lock */
#define OF_CLASS 1
#define OF_UNIT 2

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#define PRAGMA(text) _Pragma(#text)
#define SIMD(clauses) PRAGMA(omp simd clauses)
#else
#define INLINE static __inline
#define SIMD(clauses)
#endif

#if defined(__GNUC__) && defined(__x86_64__)
#define MANY_X86
#endif

typedef struct {
    const char *x;
    int64_t examples, positions, units, example_step, position_step; /* steps count elements */
    const int64_t *labels;
    int64_t classes;
} Job;

typedef struct { /* rows of `units` float64; the row after the last class takes what has no class */
    double *shift, *low, *high, *positive, *magnitude, *nans, *infs, *sum, *square, *bad, *rows;
    int64_t units;
} State;

typedef struct { /* rows class by class: run i has class of[i] and ends before row end[i] */
    const char *rows[BLOCK];
    int64_t end[BLOCK], of[BLOCK], n, runs;
} Block;

INLINE int64_t class_of(const Job *job, int64_t example)
{
    const int64_t k = job->labels ? job->labels[example] : job->classes;
    return k < 0 || k > job->classes ? job->classes : k;
}

static void add_one(const State *to, int64_t k, int64_t c, double v, int what)
{
    const double d = v - to->shift[c];
    if (!isfinite(v)) {
        if (what & OF_CLASS) to->bad[k * to->units + c]++;
        if (what & OF_UNIT) (v != v ? to->nans : to->infs)[c]++;
        return;
    }
    if (what & OF_CLASS) to->sum[k * to->units + c] += d, to->square[k * to->units + c] += d * d;
    if (what & OF_UNIT) {
        to->magnitude[c] += fabs(v), to->positive[c] += v > 0;
        to->low[c] = fmin(to->low[c], v), to->high[c] = fmax(to->high[c], v);
    }
}

INLINE void fill_block(Block *block, const Job *job, const int64_t *order, int64_t from, int64_t all, int64_t size)
{
    block->n = all - from < BLOCK ? all - from : BLOCK;
    block->runs = 0;
    int64_t at = from / job->positions, p = from % job->positions, last = -1;
    for (int64_t r = 0; r < block->n; r++) {
        const int64_t b = order ? order[at] : at;
        block->rows[r] = job->x + (b * job->example_step + p * job->position_step) * size;
        if (r == 0 || p == 0) {
            const int64_t k = class_of(job, b);
            if (k != last) block->of[block->runs++] = last = k;
        }
        block->end[block->runs - 1] = r + 1;
        if (++p == job->positions) p = 0, at++;
    }
}

/* Counts rows by class, and puts the examples in the order of their classes. */
static int sort_examples(const Job *job, const State *to, int64_t **scratch, int64_t **order)
{
    *scratch = *order = NULL;
    if (!job->labels) {
        to->rows[job->classes] += (double)(job->examples * job->positions);
        return 1;
    }
    int64_t *next = calloc((size_t)(job->classes + 2 + job->examples), sizeof *next);
    if (!next) return 0;
    for (int64_t b = 0; b < job->examples; b++) next[class_of(job, b) + 1]++;
    for (int64_t k = 0; k <= job->classes; k++) to->rows[k] += (double)(next[k + 1] * job->positions);
    for (int64_t k = 0; k <= job->classes; k++) next[k + 1] += next[k];
    int64_t *sorted = next + job->classes + 2;
    for (int64_t b = 0; b < job->examples; b++) sorted[next[class_of(job, b)]++] = b;
    *scratch = next;
    *order = sorted;
    return 1;
}

/* ---- the kernel for every element type, then compiled for every instruction set ---- */

INLINE float from_bfloat16(uint16_t bits)
{
    const uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

#define NAME(what) what##_float32
#define IN float
#define ACC float
#define COUNT int32_t
#define LOAD(v) (v)
#include "_kernel.h"

#define NAME(what) what##_bfloat16
#define IN uint16_t
#define ACC float
#define COUNT int32_t
#define LOAD(v) from_bfloat16(v)
#include "_kernel.h"

#define NAME(what) what##_float64
#define IN double
#define ACC double
#define COUNT int64_t
#define LOAD(v) (v)
#include "_kernel.h"

typedef void (*Fold)(const Job *, const State *, const int64_t *);
enum { FLOAT32, BFLOAT16, FLOAT64, TYPES };

#define FOLD(type, isa, target)                                                           \
    target static void major_##type##_##isa(const Job *job, const State *to, const int64_t *order) \
    {                                                                                     \
        unit_major_##type(job, to, order);                                                    \
    }                                                                                     \
    target static void minor_##type##_##isa(const Job *job, const State *to, const int64_t *order) \
    {                                                                                     \
        unit_minor_##type(job, to, order);                                                \
    }
#define VARIANT(isa, target)                                                  \
    FOLD(float32, isa, target)                                                \
    FOLD(bfloat16, isa, target)                                               \
    FOLD(float64, isa, target)                                                \
    static const Fold isa[2][TYPES] = {                                       \
        {minor_float32_##isa, minor_bfloat16_##isa, minor_float64_##isa},     \
        {major_float32_##isa, major_bfloat16_##isa, major_float64_##isa}};

VARIANT(plain, )
#ifdef MANY_X86
VARIANT(avx2, __attribute__((target("avx2,fma"))))
VARIANT(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))))
#endif

/* The best that this processor runs. */
static const Fold (*best(const char **name))[TYPES]
{
#ifdef MANY_X86
    __builtin_cpu_init();
    *name = "avx512";
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return avx512;
    *name = "avx2";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2;
#endif
    *name = "plain";
    return plain;
}

/* ---- the door to Python ---- */

static const Fold (*folds)[TYPES]; /* set once, when the module is made */

static int integers(PyObject *const *args, Py_ssize_t given, int64_t *into, Py_ssize_t wanted)
{
    if (given != wanted) {
        PyErr_Format(PyExc_TypeError, "%zd integers expected, %zd given", wanted, given);
        return 0;
    }
    for (Py_ssize_t i = 0; i < given; i++) {
        into[i] = PyLong_AsLongLong(args[i]);
        if (into[i] == -1 && PyErr_Occurred()) return 0;
    }
    return 1;
}

#define ADDRESS(type, value) ((type *)(intptr_t)(value))

static PyObject *fold(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    int64_t a[11], *scratch, *order;
    if (!integers(args, given, a, 11)) return NULL;
    if (a[0] < 0 || a[0] >= TYPES || a[3] < 0 || a[4] < 0 || a[5] < 0 || a[9] < 0) {
        PyErr_SetString(PyExc_ValueError, "no such element type, or a negative size");
        return NULL;
    }
    const Job job = {ADDRESS(const char, a[2]), a[3], a[4], a[5], a[6], a[7], ADDRESS(const int64_t, a[8]), a[9]};
    const int64_t n = job.units, rows = job.classes + 1;
    double *s = ADDRESS(double, a[10]);
    const State to = {s, s + n, s + 2 * n, s + 3 * n, s + 4 * n, s + 5 * n, s + 6 * n, s + 7 * n,
                      s + (7 + rows) * n, s + (7 + 2 * rows) * n, s + (7 + 3 * rows) * n, n};
    if (!sort_examples(&job, &to, &scratch, &order)) return PyErr_NoMemory();
    const Fold run = folds[a[1] != 0][a[0]];
    if (job.examples * job.positions * n <= QUICK) {
        run(&job, &to, order);
    } else {
        Py_BEGIN_ALLOW_THREADS
        run(&job, &to, order);
        Py_END_ALLOW_THREADS
    }
    free(scratch);
    Py_RETURN_NONE;
}

/* Copies every stride-th row of the value, from row `first` on, as float64. */
static PyObject *pick(PyObject *self, PyObject *const *args, Py_ssize_t given)
{
    int64_t a[11];
    if (!integers(args, given, a, 11)) return NULL;
    const int64_t positions = a[2], units = a[3], first = a[7], stride = a[8], count = a[9];
    double *out = ADDRESS(double, a[10]);
    for (int64_t i = 0; i < count; i++) {
        const int64_t row = first + i * stride;
        const int64_t at = row / positions * a[4] + row % positions * a[5];
        for (int64_t c = 0; c < units; c++, out++) {
            const int64_t where = at + c * a[6];
            if (a[0] == FLOAT32) *out = ADDRESS(const float, a[1])[where];
            else if (a[0] == FLOAT64) *out = ADDRESS(const double, a[1])[where];
            else *out = from_bfloat16(ADDRESS(const uint16_t, a[1])[where]);
        }
    }
    Py_RETURN_NONE;
}

static PyObject *instructions(PyObject *self, PyObject *none)
{
    const char *name;
    best(&name);
    return PyUnicode_FromString(name);
}

static PyMethodDef methods[] = {
    {"fold", (PyCFunction)(void (*)(void))fold, METH_FASTCALL,
     "fold(type, positions_last, x, examples, positions, units, example_step, position_step, labels, classes, state)"},
    {"pick", (PyCFunction)(void (*)(void))pick, METH_FASTCALL,
     "pick(type, x, positions, units, example_step, position_step, unit_step, first, stride, count, out)"},
    {"instructions", instructions, METH_NOARGS, "The instruction set that the kernel uses on this processor."},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_sums", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__sums(void)
{
    const char *name;
    folds = best(&name);
    return PyModule_Create(&module);
}
