"""The Wan VAE as a codec: what leaks, what is trimmed, and decoding in pieces; on tiny random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.trainer.support import save_tiny_vae
from trainer.latents.layout import frame_segments
from trainer.latents.wan_vae import WanVaeCodec, vae_channels

SIDE = 16
NUM_FRAMES = 22
HIDDEN = slice(9, 13)


@pytest.fixture(scope="module", params=["wan2.1", "wan2.2"])
def codec(request, tmp_path_factory):
    folder = save_tiny_vae(tmp_path_factory.mktemp(request.param), residual=request.param == "wan2.2")
    made = WanVaeCodec.from_pretrained(str(folder))
    assert vae_channels(str(folder)) == made.channels
    return made


def video(num_frames=NUM_FRAMES, seed=0):
    return torch.rand(num_frames, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def hidden_segments():
    hidden = np.zeros(NUM_FRAMES, dtype=bool)
    hidden[HIDDEN] = True
    return frame_segments(hidden)


def test_hidden_pixels_reach_no_visible_latent(codec):
    segments, clip = hidden_segments(), video()
    layout = codec.layout(segments)
    changed = clip.clone()
    changed[HIDDEN] = video(seed=1)[HIDDEN]
    seen = (layout.last_frame < HIDDEN.start) | (layout.first_frame >= HIDDEN.stop)
    before, after = codec.encode(clip, segments), codec.encode(changed, segments)
    assert seen.sum() == 3 + 3 and torch.equal(before[seen], after[seen])
    assert not torch.equal(before[~seen], after[~seen])
    # control: in one segment the causal encoder carries the hidden frames into all that follow
    whole = codec.layout([(0, NUM_FRAMES)])
    before, after = codec.encode(clip, [(0, NUM_FRAMES)]), codec.encode(changed, [(0, NUM_FRAMES)])
    assert (before - after).abs()[whole.first_frame >= HIDDEN.stop].amax(dim=(1, 2, 3)).min() > 1e-4


def test_decoding_in_pieces_is_decoding_at_once(codec):
    segments = hidden_segments()
    layout, latents = codec.layout(segments), codec.encode(video(), segments)
    whole = codec.decode(latents, layout.starts)
    assert whole.shape == (len(layout.frames()), 3, SIDE, SIDE)
    for size in (1, 2, 5):
        decoder = codec.decoder()
        parts = [
            decoder.push(latents[i : i + size], layout.starts[i : i + size]) for i in range(0, layout.num_latents, size)
        ]
        assert torch.equal(torch.cat(parts), whole)
    one = layout.last_frame < HIDDEN.start  # the first segment, as the VAE itself decodes it
    theirs = codec.vae.decode(codec.denormalised(latents[one])).sample[0].transpose(0, 1)
    torch.testing.assert_close(theirs, whole[: HIDDEN.start], atol=1e-5, rtol=0)
    forgetful = torch.cat([codec.decode(latents[i : i + 1], np.ones(1, dtype=bool)) for i in range(3)])
    assert len(forgetful) == 3, "control: without the features between calls, frames are lost"
    with pytest.raises(ValueError, match="starts a segment"):
        codec.decoder().push(latents[1:2], layout.starts[1:2])


def test_latents_are_normalised_as_the_configuration_says(codec):
    clip = video(5)
    raw = codec.vae.encode(clip.transpose(0, 1)[None]).latent_dist.mode()
    latents = codec.encode(clip, [(0, 5)])
    torch.testing.assert_close(codec.denormalised(latents), raw, atol=1e-5, rtol=1e-5)
    assert (latents - raw[0].transpose(0, 1)).abs().max() > 0.05
    assert latents.shape == (2, codec.channels, *codec.grid(SIDE, SIDE))


def test_both_ends_of_a_segment_survive_trimming(codec):
    assert codec.layout([(0, 9)]).frames().tolist() == list(range(9))
    assert codec.layout([(0, 9)]).time.tolist() == [0.0, 1.0, 2.0]
    for length in range(1, 30):
        layout = codec.layout([(3, 3 + length), (3 + length, 40)])
        held = set(layout.frames().tolist())
        assert len(held) == len(layout.frames()), "no frame twice"
        missing = set(range(3, 3 + length)) - held
        assert {3, 2 + length, 3 + length} <= held and len(missing) == max(
            (length - 2) % 4 if length % 4 != 1 else 0, 0
        )
        assert set(range(40)) - held - {0, 1, 2} - missing <= {37, 38, 39}
        assert np.array_equal(layout.time * 4, layout.last_frame)
        sizes = layout.last_frame - layout.first_frame + 1
        assert (sizes[layout.starts] == 1).all() and (sizes[~layout.starts] == 4).all()
    layout = codec.layout([(0, 4), (4, 9)])
    assert layout.of_frame(8) == layout.num_latents - 1 and layout.of_frame(0) == 0
    with pytest.raises(ValueError, match="frame 1 has no latent"):
        codec.layout([(0, 4), (4, 9)]).of_frame(1)


def test_what_the_vae_cannot_take_is_refused(codec, tmp_path):
    with pytest.raises(ValueError, match="does not divide into cells"):
        codec.encode(torch.zeros(1, 3, SIDE, 24 if codec.channels == 6 else 20), [(0, 1)])
    with pytest.raises(ValueError, match="no folder vae/"):
        WanVaeCodec.from_pretrained(str(tmp_path))


def test_other_weights_are_another_codec(tmp_path):
    names = [save_tiny_vae(tmp_path / name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    first, again, other = (WanVaeCodec.from_pretrained(str(name)).digest for name in names)
    assert first == again != other
    assert WanVaeCodec.from_pretrained(str(names[0]), dtype="bf16").digest != first
