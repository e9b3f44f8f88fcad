import tempfile

import start
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

config = BertConfig(
    vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, max_position_embeddings=8
)  # fmt: skip
model = BertForSequenceClassification(config)
data = [{"input_ids": torch.randint(0, 30, (8,)), "labels": i % 2} for i in range(32)]
with tempfile.TemporaryDirectory() as folder:
    given = TrainingArguments(
        folder, num_train_epochs=2, per_device_train_batch_size=8, report_to=[], save_strategy="no", use_cpu=True,
        disable_tqdm=True, logging_strategy="no", log_level="error",
    )  # fmt: skip
    Trainer(model, given, train_dataset=data).train()
start.ended(model)
