"""Shapes of the public Wan transformers, as data: what WanTransformer3DModel saves as transformer/config.json."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_SHARED: Mapping[str, Any] = MappingProxyType(
    {
        "patch_size": (1, 2, 2),
        "attention_head_dim": 128,
        "text_dim": 4096,  # UMT5-XXL
        "freq_dim": 256,
        "num_layers": 30,
        "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads",
        "eps": 1e-6,
        "image_dim": None,
        "added_kv_proj_dim": None,
        "rope_max_seq_len": 1024,
    }
)
# Hub id -> what its transformer/config.json says. Sources: huggingface.co/<id>/blob/main/transformer/config.json;
# Wan-Video/Wan2.1, wan/configs/wan_t2v_1_3B.py; Wan-Video/Wan2.2, wan/configs/wan_ti2v_5B.py.
WAN_2_1_T2V_1_3B = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"
WAN_2_2_TI2V_5B = "Wan-AI/Wan2.2-TI2V-5B-Diffusers"
HUB_CONFIGS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        WAN_2_1_T2V_1_3B: MappingProxyType(
            {**_SHARED, "num_attention_heads": 12, "ffn_dim": 8960, "in_channels": 16, "out_channels": 16}
        ),
        WAN_2_2_TI2V_5B: MappingProxyType(
            {**_SHARED, "num_attention_heads": 24, "ffn_dim": 14336, "in_channels": 48, "out_channels": 48}
        ),
    }
)


def model_fields(hub_id: str) -> dict[str, Any]:
    """The fields of ModelConfig that give a public model's shape.

    `ModelConfig(pretrained=hub_id, **model_fields(hub_id))`; without `pretrained`, a random model of that shape.
    """
    if hub_id not in HUB_CONFIGS:
        raise ValueError(f"model.pretrained: {hub_id!r} is not known here; known are {', '.join(HUB_CONFIGS)}")
    config = HUB_CONFIGS[hub_id]
    return {
        "dim": config["num_attention_heads"] * config["attention_head_dim"],
        "num_heads": config["num_attention_heads"],
        "num_layers": config["num_layers"],
        "ffn_dim": config["ffn_dim"],
        "freq_dim": config["freq_dim"],
        "patch": config["patch_size"][1],
    }
