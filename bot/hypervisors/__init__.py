"""What runs machines: the fleet routes by host; UML runs real guests, the fake plays them."""
