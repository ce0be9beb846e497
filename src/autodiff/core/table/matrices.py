"""Rows of the table over whole arrays: matrices, order of elements, and arrays made from parts of others.

`cofactor`, `detsign`, `permute`, `put`, `unslice` and `reshape_like` are here because the partials of the others are
written with them. A matrix text is written so that it also holds where a number stands in for a matrix.
"""

from __future__ import annotations

from autodiff.core.primitive import general, linear, reduction, with_axis

_INVERTIBLE = "detsign(u) != 0 | det(#u) != 0, but the matrix is singular: it has no inverse"
_PLACE = "0 <= i and i < len(u) and mod(i, 1) == 0 | #i to be a place in the array, counted from 0"
_TIE = "numel(u) > 1 and min(slice(w, 1, 1/0, 0) - slice(w, 0, -1, 0)) == 0"
_PLACES = "argsort(argsort(u))"

MATRICES = (
    # === matrices ======================================================================================================
    general("det determinant", "u", "det", "g*cofactor(u)", pushforward=("sum(cofactor(u)*du)",), scalar_meaning="u", rule="determinant",
            formula=("det(u)*transpose(inv(u))",), tex=r"\det #u", doc="determinant of a square matrix", example="det([[1, 2], [3, 4]])"),
    general("cofactor", "u", "cofactor", "(w*sum(g*w) - matmul_right(transpose(matmul_left(w, g)), w))/det(u)",
            pushforward=("(w*sum(w*du) - matmul_right(transpose(matmul_left(w, du)), w))/det(u)",), scalar_meaning="0*u + 1", rule="cofactors",
            partial_domain=("detsign(u) != 0",), doc="cofactors of a square matrix: the slopes of its determinant", example="cofactor([[1, 2], [3, 4]])"),
    general("detsign", "u", "detsign", "0", scalar_meaning="sign(u)", rule="step", jump=" at det(u) == 0",
            doc="sign of the determinant: -1, 0 or 1, without overflow", example="detsign([[1, 2], [3, 4]])"),
    general("logdet", "u", "logdet", "g*transpose(inv(u))", pushforward=("sum(transpose(inv(u))*du)",), scalar_meaning="ln(u)", rule="log-determinant",
            tex=r"\ln\det #u", doc="ln of a positive determinant, without overflow", example="logdet([[2, 1], [1, 2]])",
            domain="detsign(u) > 0 | det(#u) > 0, but the determinant is 0 or less"),
    general("inv inverse", "u", "inv", "-matmul_right(w, matmul_left(g, w))", pushforward=("-matmul_right(transpose(w), matmul_left(du, transpose(w)))",),
            scalar_meaning="1/u", rule="inverse matrix", formula=("-w^T g w^T",), tex="#u^{-1}", doc="inverse of a square matrix",
            example="inv([[1, 2], [3, 4]])", domain=_INVERTIBLE),
    general("solve", "u v", "solve", "-matmul_left(solve(transpose(u), g), w)", "solve(transpose(u), g)",
            pushforward=("-solve(u, matmul_right(transpose(du), w))", "solve(u, dv)"), scalar_meaning="v/u", rule="linear system",
            formula=("-inv(u)^T g w^T", "inv(u)^T g"), tex="#u^{-1} #v", doc="the x with u @ x = v, of a square matrix u", example="solve([[1, 2], [3, 4]], [5, 6])", domain=_INVERTIBLE),
    linear("trace", "u", "trace", "diag(g + 0*diag(u))", scalar_meaning="u", rule="trace", tex=r"\operatorname{tr} #u",
           doc="sum of the diagonal of a square matrix", example="trace([[1, 2], [3, 4]])"),
    linear("diag", "u", "diag", "diag(g)", scalar_meaning="u", rule="diagonal",
           doc="diagonal of a square matrix, or the diagonal matrix of a vector", example="diag([1, 2])"),
    linear("outer", "u v", "outer", "g @ v", "u @ g", rule="product", tex="#u #v^T", doc="products of each element of u with each of v",
           example="outer([1, 2], [3, 4])"),
    # === running totals and order ======================================================================================
    linear("cumsum", "u", "cumsum", "flip(cumsum(flip(g)))", scalar_meaning="u", rule="running sum", doc="running sums of a vector", example="cumsum([1, 2, 3])"),
    linear("cumsum", "u axis", "cumsum", "flip(cumsum(flip(g, axis), axis), axis)", "none", rule="running sum",
           doc="running sums along an axis", example="cumsum([[1, 2], [3, 4]], 0)"),
    # where u is 0, the product of the others: v has a 1 there, and c counts the zeros up to each place
    general("cumprod", "u", "cumprod",
            "v = if(u == 0, 1, u); c = cumsum(if(u == 0, 1, 0));"
            " if(u == 0, if(c == 1, flip(cumsum(flip(g*if(c == 1, cumprod(v), 0)))), 0), flip(cumsum(flip(g*w)))/v)",
            pushforward=("v = if(u == 0, 1, u); c = cumsum(if(u == 0, 1, 0));"
                         " if(c == 0, w*cumsum(du/v), if(c == 1, cumprod(v)*cumsum(if(u == 0, if(c == 1, du, 0), 0)), 0))",),
            scalar_meaning="u", rule="running product", formula=("flip(cumsum(flip(g*w)))/u",), doc="running products of a vector", example="cumprod([1, 2, 3])"),
    linear("flip", "u", "flip", "flip(g)", scalar_meaning="u", rule="order", doc="the elements of a vector from last to first", example="flip([1, 2, 3])"),
    linear("flip", "u axis", "flip", "flip(g, axis)", "none", rule="order", doc="from last to first along an axis",
           example="flip([[1, 2], [3, 4]], 1)"),
    general("sort", "u", "sort", f"permute(g, {_PLACES})", pushforward=("permute(du, argsort(u))",), scalar_meaning="u", rule="order",
            doc="the elements of a vector, smallest first", example="sort([3, 1, 2])", kink=_TIE),
    general("argsort", "u", "argsort", "0", scalar_meaning="0*u", rule="step", doc="places of the elements of a vector, smallest first",
            example="argsort([3, 1, 2])", jump=f"another order at w = sort(u); {_TIE}"),
    linear("permute", "u i", "permute", "permute(g, argsort(i))", "0", scalar_meaning="u", rule="order",
           doc="the vector [u[i[0]], u[i[1]], …], i being a permutation",
           example="permute([5, 6, 7], [2, 0, 1])"),
    general("quantile", "u q", "quantile", f"g*max(1 - abs({_PLACES} - q*(numel(u) - 1)), 0)", "none",
            pushforward=(f"sum(du*max(1 - abs({_PLACES} - q*(numel(u) - 1)), 0))", ""), scalar_meaning="u", rule="quantile",
            formula=("1 - abs(place - q*(numel(u)-1))", "none"),
            doc="the value below which the share q of a vector is, between the two nearest elements", example="quantile([1, 2, 4], 0.25)",
            kink="s = sort(u); h = max(1 - abs(cumsum(0*u + 1) - 1 - q*(numel(u) - 1)), 0);"
                 " numel(u) > 1 and min(if(slice(h, 1, 1/0, 0) == slice(h, 0, -1, 0), 1, slice(s, 1, 1/0, 0) - slice(s, 0, -1, 0))) == 0"),
    general("median", "u", "quantile", f"g*max(1 - abs({_PLACES} - (numel(u) - 1)/2), 0)",
            pushforward=(f"sum(du*max(1 - abs({_PLACES} - (numel(u) - 1)/2), 0))",), scalar_meaning="u", rule="median",
            formula=("1 - abs(place - (numel(u)-1)/2)",),
            doc="the middle element of a vector, or the mean of the two in the middle", example="median([4, 1, 2])",
            kink="s = sort(u); h = max(1 - abs(cumsum(0*u + 1) - 1 - (numel(u) - 1)/2), 0);"
                 " numel(u) > 1 and min(if(slice(h, 1, 1/0, 0) == slice(h, 0, -1, 0), 1, slice(s, 1, 1/0, 0) - slice(s, 0, -1, 0))) == 0"),
    *with_axis(reduction("argmin", "u", "argmin", "0", scalar_meaning="0*u", rule="step", doc="place of the smallest element, from 0",
                    example="argmin([3, 9, 2])", jump="another place at sum(if(u == min(u), 1, 0)) > 1"),
               doc="places of the smallest along an axis", example="argmin([[1, 2], [4, 3]], 1)",
               jump="another place at sum(if(u == expand_dims(amin(u, axis), axis), 1, 0)) > numel(w)"),
    # === arrays made from parts of others ==============================================================================
    general("concat concatenate", "u v", "concat", "slice(g, 0, len(u), 0)", "slice(g, len(u), 1/0, 0)", pushforward=("concat(du, 0*v)", "concat(0*u, dv)"),
            rule="array", variadic=True, doc="one array after the other, along the first axis", example="concat([1, 2], [3])"),
    general("stack", "u v", "literal", "g[0]", "g[1]", pushforward=("stack(du, 0*v)", "stack(0*u, dv)"), rule="array", variadic=True,
            doc="an array of arrays of one shape: [u, v, …]", example="stack([1, 2], [3, 4])"),
    *(linear("reshape", f"u {sizes}", "reshape", "reshape_like(g, u)", *("none" for _ in sizes.split()), rule="shape",
             doc=f"the same elements in shape {shape}; a size of -1 is what is left", example=example)
      for sizes, shape, example in (("n", "n", "reshape([[1, 2], [3, 4]], 4)"), ("n m", "n by m", "reshape([1, 2, 3, 4], 2, -1)"),
                                    ("n m k", "n by m by k", "reshape([1, 2, 3, 4], 2, 1, 2)"))),
    linear("reshape_like", "v u", "reshape_like", "reshape_like(g, v)", "0", rule="shape", doc="the elements of v in the shape of u",
           example="reshape_like([1, 2], [[3, 4]])"),
    linear("slice", "u start stop axis", "slice", "unslice(g, u, start, stop, axis)", "none", "none", "none", rule="element",
           doc="u[start:stop] along an axis, counted from 0", example="slice([5, 6, 7], 1, 3, 0)"),
    linear("unslice", "v u start stop axis", "unslice", "slice(g, start, stop, axis)", "0", "none", "none", "none", rule="element",
           doc="zeros shaped like u, with v at [start:stop] along an axis", example="unslice([8, 9], [5, 6, 7], 1, 3, 0)"),
    linear("take", "u i axis", "take", "put(g, u, i, axis)", "none", "none", rule="element", doc="element i along an axis",
           example="take([[1, 2], [3, 4]], 0, 1)"),
    linear("put", "v u i axis", "put", "take(g, i, axis)", "0", "none", "none", rule="element",
           doc="zeros shaped like u, with v at element i along an axis", example="put([7, 8], [[1, 2], [3, 4]], 0, 1)"),
    linear("gather", "u i", "gather", "gather_sum(g, u, i)", "0", rule="element", jump=" at mod(i, 1) == 0", domain=_PLACE,
           doc="the elements of u at the places i, counted from 0; of a matrix its rows", example="gather([5, 6, 7], [2, 0, 2])"),
    linear("gather_sum", "v u i", "gather_sum", "gather(g, i)", "0", "0", rule="element", jump=" at mod(i, 1) == 0",
           doc="zeros shaped like u, with each v added at its place i", example="gather_sum([8, 9, 1], [5, 6, 7], [2, 0, 2])"),
    general("len", "u", "len", "0", scalar_meaning="1", rule="constant", doc="how many elements there are along the first axis", example="len([5, 6, 7])"),
    general("one_hot", "i n", "one_hot", "0", "none", rule="step", doc="zeros, with a 1 at place i of n", example="one_hot(1, 3)", jump=" at mod(i, 1) == 0",
            domain="0 <= i < n and mod(i, 1) == 0 | #i to be a whole number from 0 below #n"),
)  # fmt: skip
