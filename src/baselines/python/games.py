"""The games of the reference as plain functions, in the original's order of operations. They need no package.

Nim-v0, Pong-v0 and maze-sample-3x3-v0 of R2PO (commit 9449c38c). The Gymnasium classes are in `games_gym.py`.
"""

NIM_START = 10


def nim_step(sticks, action, choose):
    """Takes `action` sticks. `choose(list)`: a random entry, asked for where the opponent has no winning move.

    Returns (sticks, reward, terminated). Whoever takes the last stick loses.
    """
    if action < 1 or action > 3 or action > sticks:
        return sticks, -1.0, True
    sticks -= action
    if sticks == 0:
        return sticks, -1.0, True
    taken = (sticks + 3) % 4
    if taken == 0:
        taken = choose(list(range(1, min(3, sticks) + 1)))
    sticks -= taken
    return (sticks, 1.0, True) if sticks == 0 else (sticks, 0.0, False)


MAZE_SIZE = 3
MAZE_LIMIT = 200
#: column and row of a step north, south, east and west
MAZE_MOVES = ((0, -1), (0, 1), (1, 0), (-1, 0))
_OPEN = (
    ((0, 0), (1, 0)), ((1, 0), (2, 0)), ((2, 0), (2, 1)), ((2, 1), (1, 1)),
    ((0, 0), (0, 1)), ((0, 1), (0, 2)), ((0, 2), (1, 2)), ((1, 2), (2, 2)),
)
MAZE_PASSAGES = frozenset(_OPEN) | frozenset((b, a) for a, b in _OPEN)


def maze_step(position, count, action):
    """`position`: column, row. `count`: steps before this one.

    Returns (position, count, reward, terminated, truncated). From step 200 on the original never terminates.
    """
    dx, dy = MAZE_MOVES[action]
    target = (position[0] + dx, position[1] + dy)
    if (position, target) in MAZE_PASSAGES:
        position = target
    count += 1
    arrived = position == (MAZE_SIZE - 1, MAZE_SIZE - 1)
    reward = 1.0 if arrived else -0.1 / (MAZE_SIZE * MAZE_SIZE)
    truncated = count >= MAZE_LIMIT
    return position, count, reward, arrived and not truncated, truncated


PONG_LIMIT = 1000
PONG_WIDTH, PONG_HEIGHT, PONG_PADDLE, PONG_BALL, PONG_SPEED = 800, 600, 80, 10, 5
_LOWEST = PONG_HEIGHT - PONG_PADDLE


def pong_start(dx, dy):
    """State: tops of both paddles, x and y of the ball, its speed, steps so far."""
    return (260, 260, 400.0, 300.0, float(dx), float(dy), 0)


def pong_observation(state):
    p1, _, bx, by, dx, dy, _ = state
    return (p1 + PONG_PADDLE / 2, bx, by, dx, dy)


def _bounced(y, top):
    return PONG_SPEED * (2 * ((y - top) / PONG_PADDLE) - 1)


def pong_step(state, action):
    """Returns (state, reward, terminated, truncated)."""
    p1, p2, bx, by, dx, dy, count = state
    if action == 0:
        p1 = max(0, p1 - PONG_SPEED)
    elif action == 1:
        p1 = min(_LOWEST, p1 + PONG_SPEED)
    p2 += PONG_SPEED if p2 + PONG_PADDLE / 2 < by else -PONG_SPEED
    p2 = min(max(p2, 0), _LOWEST)
    bx += dx
    by += dy
    if by <= 0 or by >= PONG_HEIGHT - PONG_BALL:
        dy = -dy
    reward = 0.0
    if dx < 0:
        if bx <= PONG_BALL and p1 <= by <= p1 + PONG_PADDLE:
            dx, dy, reward = -dx, _bounced(by, p1), 1.0
    elif bx >= PONG_WIDTH - 2 * PONG_BALL and p2 <= by <= p2 + PONG_PADDLE:
        dx, dy = -dx, _bounced(by, p2)
    count += 1
    terminated = bx < 0 or bx > PONG_WIDTH - PONG_BALL
    return (p1, p2, bx, by, dx, dy, count), reward, terminated, count >= PONG_LIMIT
