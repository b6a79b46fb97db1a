package replica

// Asked is how many calls of Load there were, those included that wait for a reading.
func (k *Keeper[T]) Asked() int { return int(k.asked.Load()) }
