"""Panels for notebooks: they arrange and observe, and each leaves a receipt that outlives the kernel."""
