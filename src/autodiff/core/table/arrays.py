"""Rows of the table over arrays: reductions, products, elements, matrices, order, and arrays made from parts of others.

`cofactor`, `detsign`, `permute`, `put`, `unslice` and `reshape_like` are here because the partials of the others are
written with them. A matrix text is written so that it also holds where a number stands in for a matrix.
"""

from __future__ import annotations

from autodiff.core.primitive import INDEX, general, linear, reduction, with_axis

_INVERTIBLE = "detsign(u) != 0 | det(#u) != 0, but the matrix is singular: it has no inverse"
_PLACE = "0 <= i and i < len(u) and mod(i, 1) == 0 | #i to be a place in the array, counted from 0"
_TIE = "numel(u) > 1 and min(slice(w, 1, 1/0, 0) - slice(w, 0, -1, 0)) == 0"
_PLACES = "argsort(argsort(u))"

ARRAYS = (
    # === reductions: an array to a number, or along one axis ============================================================
    *with_axis(reduction("sum", "u", "sum", "1", reduce_with="+", rule="sum", tex=r"\sum", doc="sum of all elements", example="sum([1, 2, 3])"),
               doc="sum along an axis: 0 down the columns, 1 or -1 across a row", example="sum([[1, 2], [3, 4]], 0)"),
    *with_axis(reduction("mean", "u", "mean", "numel(w)/numel(u)", reduce_with="= sum(u)/numel(u)", rule="mean", formula=("1/numel(u)",),
                    doc="mean of all elements", example="mean([1, 2, 6])"),
               doc="mean along an axis", example="mean([[1, 2], [3, 4]], 0)"),
    # w/u is the product of the others, except where u is 0: that element's slope is 0 unless it is the only zero
    *reduction("prod", "u", "prod", "if(u == 0, if(sum(if(u == 0, 1, 0)) == 1, prod(if(u == 0, 1, u)), 0), w/u)", reduce_with="*",
               rule="product", tex=r"\prod", formula=("w/u",), doc="product of all elements", example="prod([2, 3, 4])"),
    *with_axis(reduction("max amax", "u", "amax", "if(u == w, 1, 0)*numel(w)/sum(if(u == w, 1, 0))", reduce_with="max", rule="maximum",
                    tex=r"\max", formula=("if(u == w, 1, 0)",), doc="the largest element", example="max([3, 1, 2])",
                    kink="sum(if(u == w, 1, 0)) > numel(w)"), names="amax",
               partial="if(u == w, 1, 0)/expand_dims(sum(if(u == w, 1, 0), axis), axis)",
               doc="the largest along an axis", example="amax([[1, 2], [3, 4]], 0)"),
    *with_axis(reduction("min amin", "u", "amin", "if(u == w, 1, 0)*numel(w)/sum(if(u == w, 1, 0))", reduce_with="min", rule="minimum",
                    tex=r"\min", formula=("if(u == w, 1, 0)",), doc="the smallest element", example="min([3, 1, 2])",
                    kink="sum(if(u == w, 1, 0)) > numel(w)"), names="amin",
               partial="if(u == w, 1, 0)/expand_dims(sum(if(u == w, 1, 0), axis), axis)",
               doc="the smallest along an axis", example="amin([[1, 2], [3, 4]], 0)"),
    *with_axis(reduction("norm", "u", "norm", "u/w", reduce_with="hypot", scalar_meaning="abs(u)", rule="length", tex=r"\left\lVert #u \right\rVert",
                    doc="length: sqrt(sum(u^2)), without overflow", example="norm([3, 4])", kink="min(w) == 0",
                    torch=("0",)),
               doc="lengths along an axis", example="norm([[3, 4], [6, 8]], 1)"),
    *reduction("dot", "u v", "dot", "v", "u", reduce_with="= sum(u*v)", scalar_meaning="u*v", rule="product", tex=r"#u \cdot #v",
               doc="sum of the products of two arrays of one shape", example="dot([1, 2], [3, 4])"),
    *reduction("logsumexp", "u", "logsumexp", "exp(u - w)", reduce_with="logsumexp", rule="log-sum-exp",
               doc="ln of the sum of e^u, without overflow", example="logsumexp([1000, 1000])"),
    *reduction("var", "u", "var", "2*(u - mean(u))/numel(u)", reduce_with="= mean((u - mean(u))^2)", scalar_meaning="0*u", rule="variance",
               doc="variance: mean((u - mean(u))^2)", example="var([1, 2, 3, 4])"),
    *reduction("std", "u", "std", "(u - mean(u))/(numel(u)*w)", reduce_with="= sqrt(var(u))", scalar_meaning="0*u", rule="standard deviation",
               doc="standard deviation: sqrt(var(u))", example="std([1, 2, 3, 4])", kink="w == 0"),
    *with_axis(reduction("argmax", "u", "argmax", "0", scalar_meaning="0*u", rule="step", doc="place of the largest element, from 0",
                    example="argmax([3, 9, 2])", jump="another place at sum(if(u == max(u), 1, 0)) > 1"),
               doc="places of the largest along an axis", example="argmax([[1, 2], [4, 3]], 1)",
               jump="another place at sum(if(u == expand_dims(amax(u, axis), axis), 1, 0)) > numel(w)"),
    # === arrays ========================================================================================================
    # matmul_left and matmul_right are the transposes of u @ v; the three are closed under differentiation
    linear("@", "u v", "matmul", "matmul_left(g, v)", "matmul_right(u, g)", rule="product", tex="#u #v",
           doc="matrix product, of vectors and matrices", example="[[1, 2], [3, 4]] @ [5, 6]", formula=("g v^T", "u^T g")),
    linear("matmul_left", "u v", "matmul_left", "g @ v", "matmul_right(g, u)", rule="product", tex=r"#u #v^T",
           doc="what an adjoint u of a @ v gives to a", example="matmul_left([1, 2], [3, 4])"),
    linear("matmul_right", "u v", "matmul_right", "matmul_left(v, g)", "u @ g", rule="product", tex=r"#u^T #v",
           doc="what an adjoint v of u @ b gives to b", example="matmul_right([1, 2], [3, 4])"),
    linear("transpose", "u", "transpose", "transpose(g)", scalar_meaning="u", rule="transpose", tex=r"#u^T",
           doc="rows and columns exchanged", example="transpose([[1, 2], [3, 4]])"),
    linear("expand_dims", "u axis", "expand_dims", "sum(g, axis)", "none", rule="new axis", scalar_meaning="u",
           doc="the same elements with a new axis of length 1", example="expand_dims([1, 2], 1)"),
    general("softmax", "u", "softmax", "w*(g - expand_dims(sum(w*g, -1), -1))", pushforward=("w*(du - expand_dims(sum(w*du, -1), -1))",),
            scalar_meaning="1 + 0*u", rule="softmax", doc="e^u/sum(e^u), along the last axis, without overflow", example="softmax([0, 0])"),
    general("log_softmax", "u", "log_softmax", "exp(w)*(g - expand_dims(sum(g, -1), -1)) - g*expm1(w)", formula=("g - exp(w)*expand_dims(sum(g, -1), -1)",),
            pushforward=("exp(w)*du - expand_dims(sum(exp(w)*du, -1), -1) - du*expm1(w)",),
            scalar_meaning="0*u", rule="log-softmax", doc="ln of softmax(u), along the last axis, stable for any u", example="log_softmax([0, 0])"),
    *(general(INDEX, f"u {i}", "index", f"scatter(g, u, {j})", *("none" for _ in j.split(",")),
              pushforward=(f"du[{j}]", *("" for _ in j.split(","))), rule="element", tex=tex, doc=doc, example=example)
      for i, j, tex, doc, example in (
          ("i", "i", "{#u}_{#i}", "an element of a vector, or a row of a matrix, counted from 0", "[5, 6, 7][1]"),
          ("i j", "i, j", "{#u}_{#i,#j}", "an element of a matrix", "[[1, 2], [3, 4]][1, 0]"),
          ("i j k", "i, j, k", "{#u}_{#i,#j,#k}", "an element of a cube", "zeros(2, 2, 2)[1, 0, 1]"))),
    *(general("scatter", f"v u {i}", "scatter", f"g[{j}]", "0", *("none" for _ in j.split(",")),
              pushforward=(f"scatter(dv, u, {j})", "", *("" for _ in j.split(","))), rule="element",
              doc=f"zeros shaped like u, with v at [{j}]", example=example)
      for i, j, example in (("i", "i", "scatter(7, [1, 2], 0)"), ("i j", "i, j", "scatter(7, [[1, 2]], 0, 1)"),
                            ("i j k", "i, j, k", "scatter(7, ones(1, 2, 1), 0, 1, 0)"))),
    *(general(name, params, name, *("none" for _ in params.split()), rule="constant", doc=f"{shape} of {name}",
              example=f"{name}({sizes})")
      for name in ("zeros", "ones")
      for params, shape, sizes in (("n", "n", "3"), ("n m", "n by m", "2, 3"), ("n m k", "n by m by k", "2, 1, 2"))),

    general("numel", "u", "numel", "0", scalar_meaning="1", rule="constant", doc="how many elements there are", example="numel([5, 6, 7])"),
)  # fmt: skip

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
