"""What every reference network must keep to: subclass `BlueprintSuite`, give it your recipe, and run pytest."""

from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from nissl.core.blueprint import Blueprint
from nissl.errors import BadValue, MissingData


class BlueprintSuite:
    """Subclass with `blueprint()` returning an instance; for networks of torch."""

    def blueprint(self) -> Blueprint:
        raise NotImplementedError("return the recipe to test")

    def inputs(self) -> Any:
        """Three examples of the blueprint's shape."""
        import torch

        return torch.randn(3, *self.blueprint().shape)

    def test_it_is_a_value(self) -> None:
        plan = self.blueprint()
        assert is_dataclass(plan)
        assert plan == replace(plan)
        assert hash(plan) == hash(replace(plan))
        assert repr(plan).startswith(type(plan).__name__ + "(")

    def test_it_gives_one_row_of_finite_outputs_an_example(self) -> None:
        plan = self.blueprint()
        output = plan.build()(self.inputs())
        assert plan.gives in {"logits", "probability"}
        assert tuple(output.shape) == (3, 1 if plan.gives == "probability" else plan.classes)
        assert output.isfinite().all()

    def test_every_build_is_a_network_of_its_own(self) -> None:
        first, second = (dict(self.blueprint().build().named_parameters()) for _ in range(2))
        assert first
        assert first.keys() == second.keys()
        assert not {value.data_ptr() for value in first.values()} & {value.data_ptr() for value in second.values()}

    def test_every_weight_learns(self) -> None:
        network = self.blueprint().build()
        network(self.inputs()).square().sum().backward()
        assert [name for name, value in network.named_parameters() if value.grad is None] == []

    def test_weights_that_were_saved_come_back(self, tmp_path: Path) -> None:
        import torch

        saved = self.blueprint().build().state_dict()
        # as a compiled network on several devices would have saved them
        wrapped = {f"_orig_mod.module.{name}": value for name, value in saved.items()}
        torch.save({"state_dict": wrapped}, tmp_path / "weights.pt")
        back = replace(self.blueprint(), weights=str(tmp_path / "weights.pt")).build().state_dict()
        assert list(back) == list(saved)
        assert all(torch.equal(back[name], value) for name, value in saved.items())

    def test_a_missing_checkpoint_and_data_without_shape_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(MissingData):
            replace(self.blueprint(), weights=str(tmp_path / "none.pt")).build()
        for wrong in ({"shape": ()}, {"classes": 0}):
            with pytest.raises(BadValue):
                replace(self.blueprint(), **wrong)
