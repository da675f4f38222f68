"""Tests: who got what at random, whether the draw was sound, what each arm did, and for whom."""
