"""What the rule keeps, does and costs, as data: memory map, actions, schedule, expected activity."""
