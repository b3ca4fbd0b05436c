# check.csv: set,point,simulated_usd,predicted_usd,low_usd,high_usd,residual
set multiplot layout 1,2
set logscale xy
set xlabel 'simulated, USD per million (log)'
set ylabel 'predicted, USD per million (log)'
set key top left
plot 'check.csv' using 3:(strcol(1) eq 'sweep' ? $4 : NaN) with points pt 7 ps 0.35 lc rgb GREY title (SWEEP ? 'sweep' : ''), \
     '' using 3:(strcol(1) eq 'check' ? $4 : NaN) with points pt 7 ps 0.45 lc rgb BLUE title (CHECK ? 'fresh points' : ''), \
     '' using 3:3 with lines lw 1 lc rgb RED title 'equal'
unset logscale y
set ylabel 'predicted over simulated, %'
set arrow 1 from graph 0, first 0 to graph 1, first 0 nohead lc rgb RED
set key off
plot 'check.csv' using 3:(strcol(1) eq 'sweep' ? 100 * $7 : NaN) with points pt 7 ps 0.35 lc rgb GREY, \
     '' using 3:(strcol(1) eq 'check' ? 100 * $7 : NaN) with points pt 7 ps 0.45 lc rgb BLUE
unset multiplot
