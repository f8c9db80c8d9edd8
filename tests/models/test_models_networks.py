"""The networks: forecasts that no cut moves, training that resumes, a head that learns a day late, explanations."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from model_data import NAMES, features_of, market

from features.frame import FeatureFrame
from models.networks import online_head, training_epochs
from models.networks.lstm import LSTM
from models.networks.network import WEIGHTS, Network
from models.networks.online_head import DAY, Head
from models.networks.transformer import Transformer
from models.networks.windows import CHANNELS, STATIC, WINDOW, Scaling, windows
from settings import ROOT

pytestmark = pytest.mark.slow

CLASSES: dict[str, type[Transformer] | type[LSTM]] = {"transformer": Transformer, "lstm": LSTM}
FIELDS = ("mean", "scale", "quantiles", "p_up")
both = pytest.mark.parametrize("name", CLASSES)


class InterruptedTrainingError(Exception):
    """What a test raises in the middle of a training."""


@pytest.fixture(scope="module")
def frames() -> list[FeatureFrame]:
    return [features_of(market(f"COIN{seed}", 2_600, seed, -0.25, gaps=0.05)) for seed in (1, 2)]


def small(name: str, epochs: int = 2) -> Network:
    """Return a network that learns from few rows."""
    sizes = {"EPOCHS": epochs, "ROWS": 1_500, "BATCH": 128, "PASSES": 8}
    kind: type[Network] = type(name, (CLASSES[name],), sizes)
    return kind(NAMES)


@pytest.fixture(scope="module")
def nets(frames: list[FeatureFrame]) -> dict[str, Network]:
    values = {name: small(name) for name in CLASSES}
    for net in values.values():
        net.fit(frames, seed=5)
    return values


@pytest.mark.slow
@both
def test_embeddings_do_not_depend_on_the_rows_beside_them(name: str, nets: dict[str, Network]) -> None:
    net, rng = nets[name], np.random.default_rng(0)
    seen, row = rng.normal(size=(70, WINDOW, len(CHANNELS) + 1)), rng.normal(size=(70, len(STATIC) + 1))
    whole = net._embed(seen, row)
    for first in range(69):
        for rows in (1, 2, 3, 17, 40):
            assert net._embed(seen[first : first + rows], row[first : first + rows]).tobytes() == (
                whole[first : first + rows].tobytes()
            )


@pytest.mark.slow
@both
def test_days_with_their_steps_cut_anywhere_change_no_bit(
    name: str, nets: dict[str, Network], frames: list[FeatureFrame]
) -> None:
    net, frame = nets[name], frames[0][:2_000]  # over a day of minutes
    after, whole = net.step(net.initial(), frame)
    for seed in range(3):
        cuts = np.sort(np.random.default_rng(seed).integers(1, len(frame), 9))
        state, parts = net.initial(), []
        for first, end in pairwise([0, *cuts.tolist(), len(frame)]):
            if end > first:
                state = msgspec.json.decode(msgspec.json.encode(state))
                state, part = net.step(state, frame[first:end])
                parts.append(part)
        for field in FIELDS:
            assert np.concatenate([getattr(part, field) for part in parts]).tobytes() == getattr(whole, field).tobytes()
        assert msgspec.json.encode(state) == msgspec.json.encode(after)
    assert after["head"]["weights"] != net.initial()["head"]["weights"]  # a day ended among the rows


@pytest.mark.slow
@both
def test_a_training_taken_up_again_gives_the_same_weights(
    name: str, frames: list[FeatureFrame], tmp_path: Path
) -> None:
    messages: list[str] = []
    whole = small(name, epochs=3)
    whole.progress = messages.append
    whole.fit(frames, seed=1)

    def stop(_: str) -> None:
        raise InterruptedTrainingError

    broken = small(name, epochs=3)
    broken.checkpoint, broken.progress = tmp_path / "run" / "net.safetensors", stop
    with pytest.raises(InterruptedTrainingError):
        broken.fit(frames, seed=1)
    resumed, heard = small(name, epochs=3), []
    resumed.checkpoint, resumed.progress = broken.checkpoint, heard.append
    resumed.fit(frames, seed=1)
    assert heard == messages[1:]
    assert resumed._weights == whole._weights
    assert resumed.version == whole.version
    whole.save(tmp_path / "whole")
    resumed.save(tmp_path / "resumed")
    epochs = training_epochs.read(tmp_path / "whole")
    assert epochs == training_epochs.read(tmp_path / "resumed")
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    other = small(name, epochs=3)
    other.checkpoint, other.progress = broken.checkpoint, heard.append
    other.fit(frames, seed=2)  # of another training: not taken up
    assert len(heard) == len(messages) - 1 + 3
    assert other.version != whole.version
    assert [path.name for path in broken.checkpoint.parent.iterdir()] == ["net.safetensors"]
    broken.checkpoint.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="not a checkpoint"):
        broken.fit(frames, seed=1)


@both
def test_weights_and_gradients_of_each_epoch_lie_beside_the_artifact(
    name: str, frames: list[FeatureFrame], tmp_path: Path
) -> None:
    model = small(name, epochs=1)
    model.fit(frames, seed=1)
    version = model.version
    model.save(tmp_path)
    (epoch,) = training_epochs.read(tmp_path)
    tensors = {one.name: one for one in model.structure().weights}
    assert epoch.weights.keys() == epoch.gradients.keys() == tensors.keys()
    for tensor, weights in epoch.weights.items():
        assert weights == sorted(weights)
        assert tensors[tensor].edges[0] - 1e-6 <= weights[0] <= weights[-1] <= tensors[tensor].edges[-1] + 1e-6
    assert any(np.ptp(gradients) > 0 for gradients in epoch.gradients.values())
    loaded = type(model).load(tmp_path)
    assert loaded.version == version
    loaded.save(tmp_path)  # which has not seen the training
    assert training_epochs.read(tmp_path) == [epoch]
    (tmp_path / training_epochs.FILE).write_text("[{")
    assert type(model).load(tmp_path).version == version
    with pytest.raises(ValueError, match="cannot be read"):
        training_epochs.read(tmp_path)


def test_training_and_forecasting_leave_torchs_own_chance_and_settings(frames: list[FeatureFrame]) -> None:
    import torch

    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    settings = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    net = small("lstm", epochs=1)
    net.fit(frames[:1], seed=0)
    net.step(net.initial(), frames[0][:100])
    assert torch.equal(torch.rand(3), expected)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == settings


@both
def test_weights_that_were_changed_are_refused(name: str, nets: dict[str, Network], tmp_path: Path) -> None:
    nets[name].save(tmp_path)
    data = bytearray((tmp_path / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(bytes(data))
    with pytest.raises(ValueError, match="SHA-256"):
        CLASSES[name].load(tmp_path)


@both
def test_attributions_add_up_to_the_forecast_less_the_baseline(
    name: str, nets: dict[str, Network], frames: list[FeatureFrame]
) -> None:
    net = nets[name]
    state, _ = net.step(net.initial(), frames[0][:500])
    values = net.attributions(state, frames[0][500:501], horizon=1)
    assert values["window"].shape == (WINDOW, len(values["channels"]))
    total = values["window"].sum() + sum(values["static"].values())
    assert values["mean"] != values["baseline"]
    assert total == pytest.approx(values["mean"] - values["baseline"], rel=0.02)
    with pytest.raises(ValueError, match="no horizon 7"):
        net.attributions(state, frames[0][500:501], horizon=7)


@both
def test_attention_weights_are_shares(name: str, nets: dict[str, Network], frames: list[FeatureFrame]) -> None:
    values = nets[name].attention(nets[name].initial(), frames[0][:300])
    shapes = {"transformer": ((4, 9, 9), (4, 1, 9)), "lstm": ((WINDOW,), (0,))}
    assert (values["encoder"].shape, values["thinned"].shape) == shapes[name]
    assert values["encoder"].sum(axis=-1) == pytest.approx(1.0)
    assert (values["encoder"] >= 0).all()


@both
def test_the_passes_disagree_and_that_widens_the_scale(
    name: str, nets: dict[str, Network], frames: list[FeatureFrame]
) -> None:
    net, frame = nets[name], frames[0][:400]
    doubt, scale = net.epistemic_uncertainty(net.initial(), frame)[100:], net.step(net.initial(), frame)[1].scale[100:]
    assert (doubt[:, 0] > 0).all()
    assert (doubt < scale).all()


def test_the_online_head_takes_a_gradient_step_at_the_end_of_a_day() -> None:
    """Against finite differences of the loss, over three labels that mature on one day."""
    rng = np.random.default_rng(4)
    embedding, y = rng.normal(size=(4, 3)), np.array([[0.5], [np.nan], [-2.5], [0.1]])
    weights = rng.normal(size=(2, 4)) * 0.3
    time, at = np.array([10, 20, 30, DAY + 5]), np.array([[1], [1], [2], [4]])

    def loss(flat: np.ndarray) -> float:
        mean, log_scale = (np.column_stack([embedding, np.ones(4)]) @ flat.reshape(2, 4).T).T
        error = mean - y[:, 0]
        huber = np.where(np.abs(error) < 1, 0.5 * error**2, np.abs(error) - 0.5)
        fixed = (np.column_stack([embedding, np.ones(4)]) @ weights[0]) - y[:, 0]  # the variance takes it as given
        each = huber + log_scale + 0.5 * fixed**2 * np.exp(-2 * log_scale)
        return float(np.mean(each[[0, 2]]))

    flat = weights.ravel()
    steps = 1e-5 * np.eye(8)
    gradient = np.array([(loss(flat + step) - loss(flat - step)) / 2e-5 for step in steps]).reshape(2, 4)
    head = Head.fresh(weights)
    same_day, _ = online_head.advance(
        head, np.full((2, 4), 0.1), time[:3], embedding[:3], at[:3], y[:3], embedding[:3, None]
    )
    assert same_day.weights.tobytes() == weights.tobytes()
    stepped, head_output = online_head.advance(head, np.full((2, 4), 0.1), time, embedding, at, y, embedding[:, None])
    assert stepped.weights == pytest.approx(weights - 0.1 * gradient, rel=1e-6)
    assert head_output.mean[2, 0] == pytest.approx(embedding[2] @ weights[0, :3] + weights[0, 3])
    assert head_output.mean[3, 0] == pytest.approx(embedding[3] @ stepped.weights[0, :3] + stepped.weights[0, 3])


def test_windows_end_at_their_row_and_begin_with_zeros() -> None:
    channels = np.arange(1.0, 101.0)[:, None]
    result = windows(channels, 100)
    assert result.shape == (100, WINDOW, 1)
    assert result[0, :, 0].tolist() == [0.0] * (WINDOW - 1) + [1.0]
    assert result[99, :, 0].tolist() == list(np.arange(37.0, 101.0))
    assert windows(channels, 2)[0, -1, 0] == 99.0


def test_the_scaling_says_what_is_unknown() -> None:
    values = np.array([[1.0, 5.0], [3.0, np.nan], [1e9, np.inf]] * 200)
    scaled = Scaling.of(("one", "other"), values).apply(values[:3])
    assert scaled[:, 2].tolist() == [1.0, 0.5, 0.5]
    assert scaled[1:, 1].tolist() == [0.0, 0.0]
    assert np.abs(scaled).max() <= 5.0


def test_torch_is_not_imported_before_it_is_needed() -> None:
    modules = "models.registry.model_registry, models.networks.transformer, models.networks.lstm"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@both
def test_too_few_rows_are_said_in_one_line(name: str, frames: list[FeatureFrame]) -> None:
    with pytest.raises(ValueError, match="give more bars"):
        small(name).fit([frames[0][:300]], seed=0)
