"""User-Mode Linux: a guest kernel as an ordinary process, with no daemon, no KVM and no root.

https://docs.kernel.org/virt/uml/user_mode_linux_howto_v2.html
"""
