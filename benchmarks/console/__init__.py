"""Pages of the console with many cases behind them."""
