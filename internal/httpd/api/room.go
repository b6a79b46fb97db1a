package api

// hasRoom says whether one more fits where taken of most places are, has of them of the one who asks: a tenth is for
// anyone, more while half of all are free. So nobody fills the places of others. Requests at the same time may find the
// same place free: who must not exceed it asks again once the place is taken.
func hasRoom(has, taken, most int) bool { return has < most/10 || taken < most/2 }
