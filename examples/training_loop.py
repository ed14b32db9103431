"""The tutorial's training loop with lrlab's scheduler; only one line differs from torch's.

It trains on scikit-learn's breast-cancer data, without a download, and shows how to resume.
"""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn, optim

import lrlab

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=0.7, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train = torch.tensor(scaler.transform(X_train), dtype=torch.float32)
X_test = torch.tensor(scaler.transform(X_test), dtype=torch.float32)
y_train = torch.tensor(y_train, dtype=torch.float32).reshape(-1, 1)
y_test = torch.tensor(y_test, dtype=torch.float32).reshape(-1, 1)

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(30, 30), nn.ReLU(), nn.Linear(30, 1), nn.Sigmoid())
loss_fn = nn.BCELoss()
optimizer = optim.SGD(model.parameters(), lr=0.1)
scheduler = lrlab.LRScheduler(optimizer, lrlab.Linear(1.0, 0.5, over=30))


def train(epochs: range) -> None:
    model.train()
    for epoch in epochs:
        for start in range(0, len(X_train), 24):
            loss = loss_fn(model(X_train[start : start + 24]), y_train[start : start + 24])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        old_lr = optimizer.param_groups[0]["lr"]
        scheduler.step()
        new_lr = optimizer.param_groups[0]["lr"]
        print(f"Epoch {epoch}: SGD lr {old_lr:.4f} -> {new_lr:.4f}")


train(range(20))

# Save and load in any order, before or after building the scheduler: it resumes at epoch 20.
checkpoint = {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}
optimizer = optim.SGD(model.parameters(), lr=0.1)
scheduler = lrlab.LRScheduler(optimizer, lrlab.Linear(1.0, 0.5, over=30))
scheduler.load_state_dict(checkpoint["scheduler"])
optimizer.load_state_dict(checkpoint["optimizer"])

train(range(20, 50))

model.eval()
accuracy = float((model(X_test).round() == y_test).float().mean())
print(f"Model accuracy: {100 * accuracy:.2f}%")
