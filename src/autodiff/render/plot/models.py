"""Pictures of trained and fitted models: the losses of a training, the rows with what is predicted between them, a fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autodiff.render.plot import words
from autodiff.render.plot.image import HEIGHT, THEMES, Colours, figures, in_bytes, titled

if TYPE_CHECKING:
    from autodiff.fitting.curve import FittedCurve
    from autodiff.train.picture import Predicted


def loss_image(
    title: str,
    epochs: Sequence[int],
    curves: Mapping[str, Sequence[float | None]],
    form: str,
    best: int | None = None,
    between: Predicted | None = None,
) -> bytes:
    """The losses of a training over its epochs, each curve with its name; `best` is the epoch of the parameters that are kept.

    The axis is logarithmic, and says so, where all losses are above 0 and span more than a factor 20. Below it are the rows
    and what is predicted between them, if that is given.
    """
    colours = THEMES["light"]
    panels = 1 if between is None else 2
    with figures(colours, HEIGHT * panels, nrows=panels, squeeze=False) as (figure, axes):
        _losses(axes[0, 0], epochs, curves, best, colours)
        if between is not None:
            _rows(axes[1, 0], between, colours)
        titled(figure, title, colours)
        return in_bytes(figure, form, f"the loss of {title} over {len(epochs)} epochs")


def _losses(
    axis: Any, epochs: Sequence[int], curves: Mapping[str, Sequence[float | None]], best: int | None, colours: Colours
) -> None:
    finite = [v for values in curves.values() for v in values if v is not None and math.isfinite(v)]
    logarithmic = bool(finite) and min(finite) > 0 and max(finite) / min(finite) > 20
    styles = zip((colours.curve, colours.derivative, colours.tangent), ("-", "--", ":"), strict=True)
    for (name, values), (colour, line) in zip(curves.items(), styles, strict=False):
        shown = [math.nan if value is None else value for value in values]
        single = {"marker": "."} if len(shown) == 1 else {}
        axis.plot(epochs, shown, color=colour, linestyle=line, linewidth=1.6, label=name, **single)
    if logarithmic:
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(lambda loss, _: words.short(loss))
        axis.yaxis.set_minor_formatter(lambda loss, _: words.short(loss) if f"{loss:e}"[0] in "25" else "")
    axis.set(xlabel="epoch", ylabel="loss (logarithmic axis)" if logarithmic else "loss")
    if best is not None:
        axis.axvline(best, color=colours.faint, linewidth=1)
        left = best > epochs[-1] / 2
        axis.annotate(
            "kept", (best, 1), xycoords=("data", "axes fraction"), xytext=(-3 if left else 3, -2), fontsize=9,
            textcoords="offset points", ha="right" if left else "left", va="top", color=colours.ink,
        )  # fmt: skip
    if len(curves) > 1:
        axis.legend(frameon=False)
    axis.xaxis.get_major_locator().set_params(integer=True)


def _rows(axis: Any, between: Predicted, colours: Colours) -> None:
    """The rows over one column, with the predictions as a curve; over two, both classes with the line between them."""
    across, *up = between.columns
    if not up:
        axis.plot(between.places[0], between.predicted, color=colours.curve, linewidth=1.6, label="prediction")
        axis.plot(
            between.rows[0],
            between.target,
            linestyle="none",
            marker="x",
            markersize=5,
            color=colours.data,
            label="data",
        )
        axis.set(xlabel=across, ylabel=between.name)
    else:
        above = between.target > (between.target.max() + between.target.min()) / 2
        for side, marker, colour in ((above, "o", colours.derivative), (~above, "x", colours.curve)):
            numbers = " or ".join(map(words.short, sorted(set(between.target[side].tolist()))[:3]))
            axis.plot(
                *(column[side] for column in between.rows), linestyle="none", marker=marker, markersize=5, color=colour,
                markerfacecolor="none", label=f"{between.name} = {numbers}",
            )  # fmt: skip
        axis.contour(*between.places, between.predicted, levels=[between.level], colors=[colours.ink], linewidths=1.6)
        axis.plot([], [], color=colours.ink, linewidth=1.6, label=f"prediction {words.short(between.level or 0.0)}")
        axis.set(xlabel=across, ylabel=up[0])
    axis.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)  # above the panel


def fit_image(curve: FittedCurve, form: str) -> bytes:
    """A fitted curve with its band, and the data, with the deviations that are given."""
    colours = THEMES["light"]
    with figures(colours) as (figure, axis):
        if math.isfinite(float((curve.upper - curve.lower).max())):
            axis.fill_between(
                curve.x, curve.lower, curve.upper, color=colours.curve, alpha=0.2, linewidth=0, label=curve.band
            )
        axis.plot(curve.x, curve.fitted, color=colours.curve, linewidth=1.6, label="fit")
        axis.errorbar(
            curve.at, curve.y, curve.sigma, curve.sigma_at, linestyle="none", marker="x", markersize=5, color=colours.data,
            elinewidth=1, capsize=2, label="data",
        )  # fmt: skip
        axis.set(xlabel=curve.across, ylabel=curve.up)
        axis.legend(frameon=False)
        titled(figure, curve.model, colours)
        return in_bytes(figure, form, f"{curve.up} and the fit of {curve.model} over {curve.across}")
