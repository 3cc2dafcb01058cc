"""Planning: what is held and worth, what a sale would really cost, which lots to sell for a goal.

Every answer comes from filing the year with and without the sale, through the same rules as `lotlaw file`.
"""
