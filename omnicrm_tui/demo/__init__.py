"""A believable operator under neutral names, the same every time: `omnicrm demo` fills an empty home with it.

What there are few of (users, templates, products) is created by the services. What there are thousands of is
built here, with the services' rules (folded names, tax, sealed secrets, item states), and inserted in bulk:
fifty thousand customers through use cases would take half an hour, and their activity log would tell of one
afternoon instead of years. Tests hold the rows to what the services would have written.
"""
