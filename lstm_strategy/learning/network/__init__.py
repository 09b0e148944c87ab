"""The Keras network: its layers, its state and the kernels that compute it.

Using a name imports Keras; `KernelChoice`, `cudnn_choice` and `fused_cpu_choice` do without.
"""

from typing import TYPE_CHECKING

from lstm_strategy.learning.network.kernel_choice import (
    KernelChoice,
    cudnn_choice,
    fused_cpu_choice,
)
from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.learning.network.cpu_kernel import (
        answers_without_a_loop,
        fastest_copy,
        fits_the_kernel,
    )
    from lstm_strategy.learning.network.devices import copy_to_cpu, has_gpu, list_devices
    from lstm_strategy.learning.network.keras_import import (
        check_not_forked,
        keras,
        usual_precision,
    )
    from lstm_strategy.learning.network.loading import read_network
    from lstm_strategy.learning.network.lstm import (
        build_lstm_member,
        build_scaling,
        join_members,
        scale_rows,
        scaling_constants,
        scaling_of,
        widen_scaling,
    )
    from lstm_strategy.learning.network.market_vectors import (
        learned_vectors,
        look_up_vectors,
        pick_vector,
        weights_without_vectors,
    )
    from lstm_strategy.learning.network.stepping import (
        build_stepping_network,
        hidden_widths,
        members_of,
    )
    from lstm_strategy.learning.network.user_network import (
        NetworkBuilder,
        build_member,
        check_can_be_carried,
        check_can_be_loaded,
        register,
        registered_in_script,
    )

__all__ = [
    "KernelChoice",
    "NetworkBuilder",
    "answers_without_a_loop",
    "build_lstm_member",
    "build_member",
    "build_scaling",
    "build_stepping_network",
    "check_can_be_carried",
    "check_can_be_loaded",
    "check_not_forked",
    "copy_to_cpu",
    "cudnn_choice",
    "fastest_copy",
    "fits_the_kernel",
    "fused_cpu_choice",
    "has_gpu",
    "join_members",
    "keras",
    "learned_vectors",
    "list_devices",
    "look_up_vectors",
    "hidden_widths",
    "members_of",
    "pick_vector",
    "read_network",
    "register",
    "registered_in_script",
    "scale_rows",
    "scaling_constants",
    "scaling_of",
    "usual_precision",
    "weights_without_vectors",
    "widen_scaling",
]

__getattr__ = import_on_first_use(
    __name__,
    {
        "answers_without_a_loop": ".cpu_kernel",
        "fastest_copy": ".cpu_kernel",
        "fits_the_kernel": ".cpu_kernel",
        "copy_to_cpu": ".devices",
        "has_gpu": ".devices",
        "list_devices": ".devices",
        "check_not_forked": ".keras_import",
        "keras": ".keras_import",
        "read_network": ".loading",
        "usual_precision": ".keras_import",
        "build_lstm_member": ".lstm",
        "build_scaling": ".lstm",
        "join_members": ".lstm",
        "scale_rows": ".lstm",
        "scaling_constants": ".lstm",
        "scaling_of": ".lstm",
        "widen_scaling": ".lstm",
        "learned_vectors": ".market_vectors",
        "look_up_vectors": ".market_vectors",
        "pick_vector": ".market_vectors",
        "weights_without_vectors": ".market_vectors",
        "build_stepping_network": ".stepping",
        "hidden_widths": ".stepping",
        "members_of": ".stepping",
        "NetworkBuilder": ".user_network",
        "build_member": ".user_network",
        "check_can_be_carried": ".user_network",
        "check_can_be_loaded": ".user_network",
        "register": ".user_network",
        "registered_in_script": ".user_network",
    },
)
