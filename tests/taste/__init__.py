"""Tests of taste: favourites and ratings."""
