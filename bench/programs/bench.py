"""Five small loads on the interpreter: calls, floats, strings, sorting, dictionaries."""
import hashlib
import json


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def bodies(steps):
    x, y, vx, vy = 1.0, 0.0, 0.0, 1.0
    for _ in range(steps):
        r3 = (x * x + y * y) ** 1.5
        vx -= x / r3 * 0.001
        vy -= y / r3 * 0.001
        x += vx * 0.001
        y += vy * 0.001
    return f"{x:.9f} {y:.9f}"


def words(count):
    text = " ".join(f"word{i * 7919 % 1000}" for i in range(count))
    tally = {}
    for word in text.split():
        tally[word] = tally.get(word, 0) + 1
    return len(tally), tally["word7"]


def order(count):
    values = [(i * 1103515245 + 12345) % 2147483648 for i in range(count)]
    values.sort(key=lambda v: (v & 255, v))
    return values[count // 2]


def document(count):
    rows = [{"id": i, "name": f"item {i}", "tags": ["a", "b", str(i % 7)]} for i in range(count)]
    return hashlib.sha256(json.dumps(json.loads(json.dumps(rows)), sort_keys=True).encode()).hexdigest()


print(fib(25))
print(bodies(400000))
print(words(200000))
print(order(200000))
print(document(20000))
