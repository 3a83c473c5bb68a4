"""Flask as its quickstart has it; the server is given on the command line."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/items/<int:number>")
def item(number: int) -> dict[str, object]:
    """Give an item."""
    return {"id": number, "name": "item"}
