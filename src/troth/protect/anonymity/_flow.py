"""Slack in a table of sums: a flow network of figures, and the maximum flow between two of its nodes.

A figure is an edge, and the figures into a node sum to those out of it. Raising one figure means raising those after it
or lowering those beside it, on a path from its head back to its tail. The maximum flow on such paths is exactly how far
the figure can rise while every sum stays true; in whole numbers too, because a network has integral solutions.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

NO_END = 1 << 62
Node = TypeVar("Node", bound=Hashable)


class FlowNetwork(Generic[Node]):
    """Edges with capacity to rise and to fall. A closed edge keeps its capacity for later and carries no flow."""

    def __init__(self) -> None:
        self.ends: list[tuple[Node, Node]] = []
        self._room: list[int] = []  # of edge e: index 2e to rise, 2e + 1 to fall
        self.closed: dict[int, tuple[int, int]] = {}
        self._arcs: dict[Node, dict[Node, int]] = {}
        self._pushed: list[tuple[int, int]] = []

    def add(self, tail: Node, head: Node, *, rise: int, fall: int) -> int:
        """Add an edge, the only one between the two nodes; returns its number."""
        edge = len(self.ends)
        self.ends.append((tail, head))
        self._room += [rise, fall]
        self._arcs.setdefault(tail, {})[head] = 2 * edge
        self._arcs.setdefault(head, {})[tail] = 2 * edge + 1
        return edge

    def close(self, edge: int) -> None:
        """Set the capacity of *edge* to zero until `open`."""
        self.closed[edge] = (self._room[2 * edge], self._room[2 * edge + 1])
        self._room[2 * edge : 2 * edge + 2] = [0, 0]

    def open(self, edge: int) -> None:
        """Restore the capacity of a closed *edge*."""
        self._room[2 * edge : 2 * edge + 2] = self.closed.pop(edge)

    def push(self, source: Node, sink: Node, most: int) -> int:
        """Push up to *most* from *source* to *sink* and keep it. Returns the amount pushed."""
        left = most
        while left and (way := self._way(source, sink)):
            amount = min(left, *(self._room[arc] for arc in way))
            for arc in way:
                self._move(arc, amount)
                self._pushed.append((arc, amount))
            left -= amount
        return most - left

    def undo(self) -> None:
        """Undo every push."""
        while self._pushed:
            arc, amount = self._pushed.pop()
            self._move(arc, -amount)

    def reached(self, source: Node) -> set[Node]:
        """Nodes to which *source* can push more."""
        return set(self._search(source, None))

    def cheapest(
        self, source: Node, sink: Node, room: int, cost: Callable[[int], int], *, without: int
    ) -> list[int] | None:
        """Closed edges on the cheapest path whose edges all have capacity *room*, closed or not; None without a path.
        Open edges cost nothing and closed ones their *cost*; edge *without* is excluded."""
        came: dict[Node, int] = {}
        queue: list[tuple[int, int, Node]] = [(0, -1, source)]
        while queue:
            spent, arc, node = heapq.heappop(queue)
            if node in came:
                continue
            came[node] = arc
            if node == sink:
                return [arc // 2 for arc in self._back(came, source, sink) if arc // 2 in self.closed]
            for head, onward in self._arcs[node].items():
                if onward // 2 == without:
                    continue
                closed = self.closed.get(onward // 2)
                if (closed[onward % 2] if closed else self._room[onward]) >= room:
                    price = cost(onward // 2) if closed else 0
                    heapq.heappush(queue, (spent + price, onward, head))
        return None

    def _move(self, arc: int, amount: int) -> None:
        self._room[arc] -= amount
        self._room[arc ^ 1] += amount

    def _way(self, source: Node, sink: Node) -> list[int]:
        came = self._search(source, sink)
        return self._back(came, source, sink) if sink in came else []

    def _search(self, source: Node, sink: Node | None) -> dict[Node, int]:
        """The arc that reached each node, up to *sink*. Depth first, and a neighbour of *sink* is followed there at
        once: in large tables nearly every path is short, and exploring around it would be most of the work."""
        came: dict[Node, int] = {}
        stack = [iter({source: -1}.items())]
        while stack:
            for node, arc in stack[-1]:
                if node not in came and (arc < 0 or self._room[arc]):
                    came[node] = arc
                    arcs = self._arcs[node]
                    if sink in arcs and self._room[arcs[sink]]:
                        return came | {sink: arcs[sink]}
                    stack.append(iter(arcs.items()))
                    break
            else:
                stack.pop()
        return came

    def _back(self, came: dict[Node, int], source: Node, node: Node) -> list[int]:
        way: list[int] = []
        while node != source:
            way.append(came[node])
            node = self._head(came[node] ^ 1)
        return way

    def _head(self, arc: int) -> Node:
        return self.ends[arc // 2][1 - arc % 2]
