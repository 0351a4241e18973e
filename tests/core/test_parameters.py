"""What parameters hold, and what is none."""

import math

import pytest

from streamtui.core.parameters import Parameters, parameters_from


def test_nothing_set_is_nothing() -> None:
    assert not Parameters()
    assert Parameters().as_dict() == {}


def test_zero_is_set() -> None:
    assert Parameters(temperature=0.0, seed=0).as_dict() == {"temperature": 0.0, "seed": 0}


def test_there_and_back() -> None:
    values = {"temperature": 0.5, "max_tokens": 100, "stop": ["END"], "reasoning_effort": "low", "extra": {"top_k": 40}}
    assert parameters_from(values).as_dict() == values


def test_the_nearer_settings_win() -> None:
    near, far = Parameters(temperature=0.0, extra={"a": 1}), Parameters(temperature=1.0, seed=7, extra={"a": 2, "b": 3})
    assert near.over(far) == Parameters(temperature=0.0, seed=7, extra={"a": 1, "b": 3})


def test_what_is_unset_is_not_sent_whatever_others_set() -> None:
    far = Parameters(temperature=1.0, seed=7, extra={"b": 3})
    near = Parameters(unset=("extra", "temperature"))
    assert near.over(far) == Parameters(seed=7, unset=("extra", "temperature"))
    assert Parameters(temperature=0.5).over(near).over(far) == Parameters(0.5, seed=7, unset=("extra",))
    assert Parameters(extra={"a": 1}, unset=("extra",)).over(far).extra == {"a": 1}
    assert parameters_from(near.as_dict()) == near


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("temperature", "hot", "a number from 0 to 2"),
        ("temperature", math.nan, "a number from 0 to 2"),
        ("top_p", 1.5, "a number from 0 to 1"),
        ("temperature", True, "a number"),
        ("max_tokens", 0, "above 0"),
        ("max_tokens", 1.5, "whole number"),
        ("seed", 2**63, "whole number"),
        ("stop", [1], "a list of texts"),
        ("extra", 3, "a table"),
        ("reasoning_effort", 3, "a text"),
        ("unset", "temperature", "a list of parameters"),
        ("unset", ["temprature"], "a list of parameters"),
        ("unset", ["unset"], "a list of parameters"),
        ("temprature", 1, "no parameter"),
    ],
)
def test_a_mistake_is_named(name: str, value: object, expected: str) -> None:
    with pytest.raises(ValueError, match=f"{name} .*{expected}"):
        parameters_from({name: value})
