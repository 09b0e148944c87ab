"""A member that is compiled once and trained again and again."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lstm_strategy.learning.network import (
    NetworkBuilder,
    build_lstm_member,
    build_member,
    check_can_be_carried,
    check_can_be_loaded,
    fastest_copy,
    keras,
    learned_vectors,
    look_up_vectors,
    pick_vector,
    weights_without_vectors,
)
from lstm_strategy.learning.targets import Target
from lstm_strategy.learning.training.epochs import Rounds, build_rounds
from lstm_strategy.learning.training.training_set import TrainingSet


@dataclass(frozen=True)
class MemberRecipe:
    """All that a compiled member depends on: trainings with the same recipe share one.

    The learning rate is none of it: the optimizer keeps it in a variable.
    """

    n_features: int
    units: tuple[int, ...]
    dropout: float
    lookback: int
    weight_decay: float
    target: Target
    build: NetworkBuilder | None
    market_embedding: int = 0
    n_markets: int = 0

    def build_member(self, seed: int, *, name: str) -> keras.Model:
        """A freshly initialised member; the same seed gives the same weights."""
        return self.take_markets(self.build_core(seed, name=name))

    def take_markets(self, core: keras.Model) -> keras.Model:
        """A network around a core that looks up the vector of a market; else the core itself."""
        if not self.market_embedding:
            return core
        return look_up_vectors(core, n_markets=self.n_markets, size=self.market_embedding)

    def build_core(self, seed: int, *, name: str) -> keras.Model:
        """The same, but for what looks up the vector of a market: it takes that as it is."""
        n_taken = self.n_features + self.market_embedding
        if self.build is not None:
            head = self.target.head
            return build_member(self.build, n_taken, head=head, seed=seed, name=name)
        return build_lstm_member(
            n_taken,
            units=self.units,
            dropout=self.dropout,
            lookback=self.lookback,
            head=self.target.head,
            seed=seed,
            name=name,
        )


@lru_cache(maxsize=4)
def compile_member(recipe: MemberRecipe) -> "CompiledMember":
    """The compiled member of a recipe, new or used before."""
    return CompiledMember(recipe)


class CompiledMember:
    """One compiled network that is trained again and again from fresh weights.

    Attributes:
        network: The network.
        rounds: What takes it through batches.
    """

    network: keras.Model
    rounds: Rounds

    def __init__(self, recipe: MemberRecipe) -> None:
        self._recipe = recipe
        fresh = recipe.build_member(0, name="member")
        if recipe.build is not None:
            core = recipe.build_core(0, name="member")
            check_can_be_loaded(core)
            check_can_be_carried(core)
        self.network = fastest_copy(fresh)
        optimizer = keras.optimizers.AdamW(weight_decay=recipe.weight_decay, clipnorm=1.0)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        self.network.compile(optimizer, loss=recipe.target.build_loss(), weighted_metrics=[])
        optimizer.build(self.network.trainable_variables)
        # a network that repeats an answer, so that its loss is the answer's, and compiled
        answer = keras.Input(self.network.output_shape[1:])
        judge = keras.Model(answer, keras.layers.Identity()(answer))
        judge.compile(loss=recipe.target.build_validation_loss(), weighted_metrics=[])
        self.rounds = build_rounds(self.network, judge)
        self._fresh_optimizer = [
            keras.ops.convert_to_numpy(variable) for variable in optimizer.variables
        ]

    def reinitialise(self, seed: int, *, learning_rate: float, name: str = "fresh") -> keras.Model:
        """Give the network fresh weights and its optimizer no memory.

        Returns:
            The core that was initialised for it, which `hand_over` fills once it is trained: to
            build a network takes as long as several steps of its training.
        """
        core = self._recipe.build_core(seed, name=name)
        # `variables` also holds the state of the dropout's random numbers, `weights` doesn't
        fresh = self._recipe.take_markets(core)
        for variable, value in zip(self.network.variables, fresh.variables, strict=True):
            variable.assign(value)
        optimizer = self.network.optimizer
        for variable, value in zip(optimizer.variables, self._fresh_optimizer, strict=True):
            variable.assign(value)
        optimizer.learning_rate = learning_rate
        return core

    def start_linear_part(self, rows: TrainingSet, position: int) -> None:
        """Begin with the linear function that is best on the rows that a member learns from."""
        spans = rows.learned_by(position)
        learned = (
            np.concatenate([column[span] for span in spans])
            for column in (rows.features, rows.labels, rows.weights)
        )
        slopes, bias = self._recipe.target.fit_linear_part(*learned)
        slopes = np.pad(slopes, ((0, self._recipe.market_embedding), (0, 0)))
        self.network.get_layer("member_linear").kernel.assign(slopes)
        self.network.get_layer("member_head").bias.assign(bias)

    def hand_over(self, core: keras.Model, position: int, *, n_members: int) -> keras.Model:
        """Give a core the weights as they are now, as a member of an ensemble.

        Where the network learned vectors of the markets, the member takes those of all members
        with each row.
        """
        if not self._recipe.market_embedding:
            core.set_weights(self.network.get_weights())
            return core
        core.set_weights(weights_without_vectors(self.network))
        size = self._recipe.market_embedding
        return pick_vector(core, size=size, position=position, n_members=n_members)

    @property
    def vectors(self) -> np.ndarray:
        """What it has learned of each market by now, shape (n_markets, size)."""
        if not self._recipe.market_embedding:
            return np.empty((self._recipe.n_markets, 0), np.float32)
        return learned_vectors(self.network)
