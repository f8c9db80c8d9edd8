"""How many threads the libraries of numbers take for themselves."""

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Each library's environment variable; it is read when the library is loaded."""
ONE = dict.fromkeys(VARIABLES, "1")
