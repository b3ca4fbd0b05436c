# check.csv: set,point,simulated_usd,predicted_usd,low_usd,high_usd,residual
set logscale xy
eval 'set xtics '.DOLLARS
eval 'set ytics '.DOLLARS
set xlabel 'simulated, USD per million jobs'
set ylabel 'predicted'
set key off
if (SWEEP && CHECK) set label 1 'grey: the points it was fitted to' at graph 0.03, graph 0.94 left font SMALL textcolor rgb INK
if (CHECK) set label 2 'blue: fresh points' at graph 0.03, graph 0.87 left font SMALL textcolor rgb INK
set label 3 'on the line: equal' at graph 0.97, graph 0.06 right font SMALL textcolor rgb INK
plot 'check.csv' using 3:(strcol(1) eq 'sweep' ? $4 : NaN) with points pt 7 ps 0.3 lc rgb GREY, \
     '' using 3:(strcol(1) eq 'check' ? $4 : NaN) with points pt 7 ps 0.45 lc rgb BLUE, \
     '' using 3:3 with lines lw 1 lc rgb RED
